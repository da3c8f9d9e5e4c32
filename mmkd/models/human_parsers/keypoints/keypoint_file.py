"""Files of keypoints in the form of MMAction2 and PYSKL."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmkd.errors import UserError
from mmkd.models.human_parsers.plain_pickle import read_plain_pickle
from mmkd.models.human_parsers.video_names import name_tails


@dataclass(frozen=True)
class VideoKeypoints:
    """The keypoints of one video of ``T`` frames.

    Format: https://mmaction2.readthedocs.io/en/latest/dataset_zoo/skeleton.html.

    Attributes:
        places: ``(P, T, J, 2)``, x and y in pixels.
        scores: ``(P, T, J)``.
        frame: Height and width of the frames that the places are in.
    """

    places: np.ndarray
    scores: np.ndarray
    frame: tuple[int, int]

    def of_frames(self, frame_inds: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return places ``(F, P, J, 2)`` and scores ``(F, P, J)``, float32."""
        pairs = (self.places, self.scores)
        places, scores = (
            torch.from_numpy(array[:, list(frame_inds)].astype(np.float32))
            for array in pairs
        )
        return places.transpose(0, 1), scores.transpose(0, 1)


class KeypointFile:
    """A pickle with ``annotations``, read without running anything in it.

    Format: https://mmaction2.readthedocs.io/en/latest/dataset_zoo/skeleton.html. Of an
    annotation ``frame_dir``, ``img_shape`` (height, width), ``total_frames``,
    ``keypoint`` ``(P, T, J, 2)`` and ``keypoint_score`` ``(P, T, J)`` are used; without
    scores every joint counts fully.

    Args:
        path: The file.
        joints: ``J``, the joints that there must be.

    Raises:
        UserError: If it is no such file, or asks for anything but plain values.
    """

    def __init__(self, path: Path, joints: int) -> None:
        self.path = path
        self.joints = joints
        content = read_plain_pickle(path)
        if isinstance(content, Mapping):
            content = content.get('annotations')
        if not isinstance(content, list) or not all(map(_is_annotation, content)):
            raise UserError(
                f'{path} has no list of annotations with frame_dir',
                'Give a file in the form of MMAction2 or PYSKL.',
            )
        self._videos = {str(entry['frame_dir']): entry for entry in content}

    def find(self, video: str) -> VideoKeypoints | None:
        """Return the keypoints of a video, by its path or name; None if unknown.

        Raises:
            UserError: If its annotation is not of the stated form.
        """
        for name in name_tails(video):
            if name in self._videos:
                return self._read(name)
        return None

    def _read(self, name: str) -> VideoKeypoints:
        entry = self._videos[name]
        try:
            places = np.asarray(entry['keypoint'])[..., :2]
            scores = np.asarray(entry.get('keypoint_score', np.ones(places.shape[:3])))
            height, width = map(operator.index, entry['img_shape'][:2])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self._wrong(name, f'lacks or garbles {error}') from error
        shape = (*scores.shape[:2], self.joints)
        if scores.ndim != 3 or scores.shape != shape or places.shape != (*shape, 2):
            raise self._wrong(
                name,
                f'has keypoint {places.shape} and keypoint_score {scores.shape}, not '
                f'(P, T, {self.joints}, 2) and (P, T, {self.joints})',
            )
        if min(height, width) < 1 or not _numbers(places) or not _numbers(scores):
            raise self._wrong(name, 'holds sizes or numbers that cannot be')
        return VideoKeypoints(places, scores, (height, width))

    def _wrong(self, name: str, what: str) -> UserError:
        return UserError(f'{self.path}: the annotation {name!r} {what}', 'Mend it.')


def _is_annotation(entry: Any) -> bool:
    return isinstance(entry, dict) and 'frame_dir' in entry


def _numbers(array: np.ndarray) -> bool:
    return array.dtype.kind in 'iuf' and bool(np.isfinite(array).all())
