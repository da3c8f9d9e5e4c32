"""Open a video, or one of a packed set, and decode all its views at once."""

import os
from functools import cached_property
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmkd.datasets.clip_types import Results
from mmkd.datasets.packed_videos import PackedVideos
from mmkd.datasets.video_readers import FrameReader, choose_decoder, open_video
from mmkd.datasets.video_readers.decord_video import decode
from mmkd.datasets.video_readers.packets import can_count
from mmkd.datasets.video_readers.pyav_video import PyAVVideo
from mmkd.errors import printable
from mmkd.registry import TRANSFORMS


def _with_reader(results: Results, reader: FrameReader) -> Results:
    results['video_reader'] = reader
    results['total_frames'] = len(reader)
    results['avg_fps'] = reader.get_avg_fps()
    return results


@TRANSFORMS.register_module()
class OpenVideo(BaseTransform):
    """Open a video with a choice of decoders, instead of MMAction2's ``DecordInit``.

    Whichever is chosen, a frame number means the same frame, also on clips where
    decord or TorchCodec by themselves err after a seek. Pixels are equal where the
    libraries have one FFmpeg release in them, and differ by a few levels else
    (docs/data.md). Reads local files only.

    Needs ``filename``. Writes ``video_reader``, ``total_frames`` and ``avg_fps``.

    Args:
        decoder: ``'decord'``, ``'pyav'``, ``'torchcodec'``, or ``'auto'`` for the one
            that we measured to be fastest among those installed. Defaults to
            ``'auto'``.
        num_threads: Threads of the decoder. Defaults to 1: workers are processes.

    Raises:
        UserError: If there is no such decoder, or it is not installed.

    Example:
        >>> pipeline = [
        ...     dict(type='mmkd.OpenVideo', decoder='pyav', num_threads=2),
        ...     dict(type='SampleFrames', clip_len=16, frame_interval=1, num_clips=1),
        ...     dict(type='mmkd.DecodeViews'),
        ... ]
    """

    def __init__(self, decoder: str = 'auto', num_threads: int = 1) -> None:
        self.decoder = choose_decoder(decoder)
        self.num_threads = num_threads

    def transform(self, results: Results) -> Results:
        """Open one sample's video.

        Raises:
            UserError: If the decoder cannot be loaded.
            RuntimeError: If the file cannot be opened; it is named.
        """
        reader = open_video(results['filename'], self.decoder, self.num_threads)
        return _with_reader(results, reader)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(decoder={self.decoder!r}, '
            f'num_threads={self.num_threads})'
        )


@TRANSFORMS.register_module()
class OpenPacked(BaseTransform):
    """Open a video of a packed set, whose frames are decoded already.

    Needs ``filename``. Writes ``video_reader``, ``total_frames`` and ``avg_fps``;
    :class:`DecodeViews` and MMAction2's ``DecordDecode`` then read from memory. The
    file is mapped once a process, and its pages are shared by all workers.

    Args:
        folder: Folder that ``tools/data/pack.py`` wrote.

    Example:
        >>> pipeline = [
        ...     dict(type='mmkd.OpenPacked', folder='packed/ut'),
        ...     dict(type='mmkd.PaceViews', clip_len=16),
        ...     dict(type='mmkd.DecodeViews'),
        ... ]
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    @cached_property
    def videos(self) -> PackedVideos:
        """The packed videos, mapped at the first use in a process."""
        return PackedVideos(self.folder)

    def transform(self, results: Results) -> Results:
        """Open one sample's video.

        Raises:
            UserError: If it was not packed, or its file has another size now.
        """
        return _with_reader(results, self.videos.open(results['filename']))

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.folder!r})'


def spread(frames: np.ndarray, positions: np.ndarray) -> list[np.ndarray]:
    """Give each of the positions ``(M * T,)`` its own array of frames ``(U, H, W, 3)``.

    The first one is a view, each further one a copy: transforms that work in place
    (MMAction2's ``Flip``) would else change a frame that two views share twice.
    """
    seen: set[int] = set()
    images = []
    for index in positions.tolist():
        images.append(frames[index].copy() if index in seen else frames[index])
        seen.add(index)
    return images


def _read(reader: Any, wanted: np.ndarray, path: str | None) -> np.ndarray:
    if isinstance(reader, FrameReader):
        return reader.get_batch(wanted).asnumpy()
    if path is not None and os.path.isfile(path):
        # decord alone cannot tell whether it would give other frames.
        video = PyAVVideo(path)
        if not can_count(video.index):
            return video.get_batch(wanted).asnumpy()
    return decode(reader, wanted)


@TRANSFORMS.register_module()
class DecodeViews(BaseTransform):
    """Decode the frames of all views in one pass over the video.

    Asks the reader once for the sorted distinct ``frame_inds``, and spreads them over
    the positions: no frame is decoded twice and no seek goes backwards, however many
    views there are and however they overlap. Unlike MMAction2's ``DecordDecode``, it
    gives the right frames of files on which a bare decord errs, which it has PyAV read.

    Needs ``video_reader`` (of :class:`OpenVideo`, :class:`OpenPacked` or MMAction2's
    ``DecordInit``) and ``frame_inds`` ``(M * T,)``. Writes ``imgs``, a list of M * T
    uint8 RGB arrays ``(H, W, 3)`` of which none shares memory with another,
    ``original_shape`` and ``img_shape`` ``(H, W)``, and drops the reader.

    Example:
        >>> pipeline = [
        ...     dict(type='mmkd.OpenVideo'),
        ...     dict(type='mmkd.PaceViews', num_views=4),
        ...     dict(type='mmkd.DecodeViews'),
        ...     dict(type='Resize', scale=(171, 128), keep_ratio=False),
        ... ]
    """

    def transform(self, results: Results) -> Results:
        """Decode one sample.

        Raises:
            RuntimeError: If the video cannot be decoded; the file is named.
        """
        reader, results['video_reader'] = results['video_reader'], None
        wanted, positions = np.unique(results['frame_inds'], return_inverse=True)
        try:
            frames = _read(reader, wanted, results.get('filename'))
        except Exception as error:
            # Decoders raise several unrelated classes, IndexError among them.
            name = printable(results.get('filename', 'a video'))
            what = f'{name} cannot be decoded: {printable(error)}'
            raise RuntimeError(what) from error
        results['imgs'] = spread(frames, positions)
        results['original_shape'] = results['img_shape'] = frames.shape[1:3]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
