"""Videos written anew, small and with many key frames, so that they decode fast."""

from mmkd.datasets.transcoding.settings import Settings
from mmkd.datasets.transcoding.transcoding import transcode_lists
from mmkd.datasets.transcoding.video import Written, transcode

__all__ = ['Settings', 'Written', 'transcode', 'transcode_lists']
