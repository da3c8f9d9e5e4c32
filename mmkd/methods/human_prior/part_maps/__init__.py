"""Part maps of videos on disk: what a human parser left for training to read."""

from mmkd.methods.human_prior.part_maps.cache import PartMapCache, PartMapFile
from mmkd.methods.human_prior.part_maps.identity import CacheIdentity, read_identity

__all__ = ['CacheIdentity', 'PartMapCache', 'PartMapFile', 'read_identity']
