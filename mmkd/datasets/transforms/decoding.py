"""Decode all views of a video at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmkd.registry import TRANSFORMS


def miscounts(keys: Sequence[int], total_frames: int) -> bool:
    """Tell whether decord would give wrong frames of this video after a seek.

    Clips cut out of a stream without encoding anew (sets 1 and 2 of UT-Interaction)
    start with empty packets that are marked as key frames. decord counts them as
    frames, but not when it seeks past them: every frame is then one or two too early,
    and one that is asked for near the end may be any earlier one.

    Args:
        keys: Indices of the key frames, from ``get_key_indices``.
        total_frames: Frames of the video.

    Returns:
        True if the first two frames are key frames and not all frames are.
    """
    return list(keys[:2]) == [0, 1] and len(keys) < total_frames


def read_in_order(reader: Any, wanted: np.ndarray) -> np.ndarray:
    """Read a fresh reader from its first frame on, and keep the frames in ``wanted``.

    Args:
        reader: A ``decord.VideoReader``.
        wanted: Indices ``(U,)``, sorted and distinct.

    Returns:
        Frames ``(U, H, W, 3)``.
    """
    kept = set(wanted.tolist())
    frames = []
    for index in range(wanted[-1] + 1):
        frame = reader.next()
        if index in kept:
            frames.append(frame.asnumpy())
    return np.stack(frames)


def decode(reader: Any, wanted: np.ndarray) -> np.ndarray:
    """Decode frames with one call of the reader, or in order where that would err.

    Args:
        reader: A ``decord.VideoReader`` that has not been read from.
        wanted: Indices ``(U,)``, sorted and distinct.

    Returns:
        Frames ``(U, H, W, 3)``, uint8 RGB.
    """
    if miscounts(reader.get_key_indices(), len(reader)):
        return read_in_order(reader, wanted)
    return reader.get_batch(wanted.tolist()).asnumpy()


def spread(frames: np.ndarray, positions: np.ndarray) -> list[np.ndarray]:
    """Give every position its own array: the first one a view, each further one a copy.

    Transforms that work in place (MMAction2's ``Flip``) would else change a frame that
    two views share twice.

    Args:
        frames: Decoded frames ``(U, H, W, 3)``.
        positions: Which frame each position shows, ``(M * T,)``.
    """
    seen: set[int] = set()
    images = []
    for index in positions.tolist():
        images.append(frames[index].copy() if index in seen else frames[index])
        seen.add(index)
    return images


@TRANSFORMS.register_module()
class DecodeViews(BaseTransform):
    """Decode the frames of all views in one pass over the video.

    Asks the decord reader once for the sorted distinct ``frame_inds``, and spreads them
    over the positions: no frame is decoded twice and no seek goes backwards, however
    many views there are and however they overlap. Unlike MMAction2's ``DecordDecode``,
    it gives the right frames of clips that decord :func:`miscounts`.

    Needs ``video_reader`` (of MMAction2's ``DecordInit``) and ``frame_inds``
    ``(M * T,)``. Writes ``imgs``, a list of ``M * T`` uint8 RGB arrays ``(H, W, 3)`` of
    which none shares memory with another, ``original_shape`` and ``img_shape``
    ``(H, W)``, and drops the reader.

    Source: ours.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Decode one sample.

        Raises:
            RuntimeError: If the video cannot be decoded; the file is named.
        """
        reader, results['video_reader'] = results['video_reader'], None
        wanted, positions = np.unique(results['frame_inds'], return_inverse=True)
        try:
            frames = decode(reader, wanted)
        except Exception as error:
            # decord raises several unrelated classes, IndexError among them.
            name = results.get('filename', 'a video')
            raise RuntimeError(f'{name} cannot be decoded: {error}') from error
        results['imgs'] = spread(frames, positions)
        results['original_shape'] = frames.shape[1:3]
        results['img_shape'] = frames.shape[1:3]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
