"""Small data sets decoded once: uint8 clips in one file that workers share."""

from mmkd.datasets.packed.reading import PackedVideo, PackedVideos

__all__ = ['PackedVideo', 'PackedVideos']
