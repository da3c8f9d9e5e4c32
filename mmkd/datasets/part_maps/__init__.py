"""Part maps of videos on disk: what a human parser left for training to read."""

from mmkd.datasets.part_maps.cache import PartMapCache
from mmkd.datasets.part_maps.file import PartMapFile
from mmkd.datasets.part_maps.identity import CacheIdentity, read_identity

__all__ = ['CacheIdentity', 'PartMapCache', 'PartMapFile', 'read_identity']
