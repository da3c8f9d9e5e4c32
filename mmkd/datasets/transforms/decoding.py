"""Decode all views of a video at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmkd.registry import TRANSFORMS


def false_starts(keys: Sequence[int], total_frames: int) -> int:
    """Count the leading frames that decord must read in order to count rightly.

    Clips cut out of a stream without encoding anew (UT-Interaction) begin with empty
    packets that are marked as key frames. decord counts them, but a seek past them does
    not: every frame after it is one or two too early. With those packets read first,
    decord has no key frame left to seek to, and goes on in order.

    Args:
        keys: Indices of the key frames, from ``get_key_indices``.
        total_frames: Frames of the video.

    Returns:
        How many key frames stand in a row at the start; 0 if it is one, as usual, or if
        every frame is a key frame.
    """
    run = 0
    while run < len(keys) and keys[run] == run:
        run += 1
    return run if 1 < run < total_frames else 0


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
    it gives the right frames of clips with :func:`false_starts`.

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
        frame_inds = results['frame_inds']
        try:
            lead = false_starts(reader.get_key_indices(), len(reader))
            asked = np.union1d(np.arange(lead), frame_inds)
            frames = reader.get_batch(asked.tolist()).asnumpy()
        except Exception as error:
            # decord raises several unrelated classes, IndexError among them.
            name = results.get('filename', 'a video')
            raise RuntimeError(f'{name} cannot be decoded: {error}') from error
        results['imgs'] = spread(frames, np.searchsorted(asked, frame_inds))
        results['original_shape'] = frames.shape[1:3]
        results['img_shape'] = frames.shape[1:3]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
