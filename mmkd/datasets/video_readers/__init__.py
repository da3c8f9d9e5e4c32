"""Readers of video files with one face: decord, PyAV, TorchCodec."""

from mmkd.datasets.video_readers.frame_reader import (
    DecodedFrames,
    FrameReader,
    choose_decoder,
    open_video,
)

__all__ = ['DecodedFrames', 'FrameReader', 'choose_decoder', 'open_video']
