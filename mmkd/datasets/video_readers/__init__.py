"""Readers of video files with one face: decord, PyAV, TorchCodec."""

from mmkd.datasets.video_readers.base import DecodedFrames, FrameReader
from mmkd.datasets.video_readers.decord_reading import decode, miscounts
from mmkd.datasets.video_readers.opening import choose_decoder, open_video

__all__ = [
    'DecodedFrames',
    'FrameReader',
    'choose_decoder',
    'decode',
    'miscounts',
    'open_video',
]
