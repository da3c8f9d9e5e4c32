"""Decode all views of a video at once."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmkd.datasets.video_readers import FrameReader, decode, miscounts
from mmkd.registry import TRANSFORMS

__all__ = ['DecodeViews', 'decode', 'miscounts', 'spread']


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


def _read(reader: Any, wanted: np.ndarray) -> np.ndarray:
    if isinstance(reader, FrameReader):
        return reader.get_batch(wanted).asnumpy()
    return decode(reader, wanted)


@TRANSFORMS.register_module()
class DecodeViews(BaseTransform):
    """Decode the frames of all views in one pass over the video.

    Asks the reader once for the sorted distinct ``frame_inds``, and spreads them over
    the positions: no frame is decoded twice and no seek goes backwards, however many
    views there are and however they overlap. Unlike MMAction2's ``DecordDecode``, it
    gives the right frames of clips that decord :func:`miscounts`.

    Needs ``video_reader`` (of :class:`OpenVideo`, :class:`OpenPacked` or MMAction2's
    ``DecordInit``) and ``frame_inds`` ``(M * T,)``. Writes ``imgs``, a list of M * T
    uint8 RGB arrays ``(H, W, 3)`` of which none shares memory with another,
    ``original_shape`` and ``img_shape`` ``(H, W)``, and drops the reader.

    Source: ours.

    Example:
        >>> pipeline = [
        ...     dict(type='mmkd.OpenVideo'),
        ...     dict(type='mmkd.PaceViews', num_views=4),
        ...     dict(type='mmkd.DecodeViews'),
        ...     dict(type='Resize', scale=(171, 128), keep_ratio=False),
        ... ]
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Decode one sample.

        Raises:
            RuntimeError: If the video cannot be decoded; the file is named.
        """
        reader, results['video_reader'] = results['video_reader'], None
        wanted, positions = np.unique(results['frame_inds'], return_inverse=True)
        try:
            frames = _read(reader, wanted)
        except Exception as error:
            # Decoders raise several unrelated classes, IndexError among them.
            name = results.get('filename', 'a video')
            raise RuntimeError(f'{name} cannot be decoded: {error}') from error
        results['imgs'] = spread(frames, positions)
        results['original_shape'] = frames.shape[1:3]
        results['img_shape'] = frames.shape[1:3]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
