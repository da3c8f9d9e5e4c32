"""Keypoints on disk as a human parser: the file, the maps drawn of it, the parser."""

import operator
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mmkd.errors import UserError
from mmkd.files import open_regular, sha256
from mmkd.models.human_parsers.human_parser import (
    HumanParser,
    keypoint_probabilities,
    name_tails,
)
from mmkd.models.human_parsers.weights import existing
from mmkd.part_labels import get_label_set
from mmkd.registry import MODELS
from mmkd.tensor_files import array_of

_KEYPOINT = '/keypoint.npy'
_LARGEST = 1 << 28  # bytes of an array


@dataclass(frozen=True)
class VideoKeypoints:
    """The keypoints of one video of ``T`` frames.

    Format: https://mmaction2.readthedocs.io/en/latest/dataset_zoo/skeleton.html.

    Attributes:
        points: ``(P, T, J, 2)``, x and y in pixels.
        scores: ``(P, T, J)``.
        frame: Height and width of the frames that the points are in.
    """

    points: np.ndarray
    scores: np.ndarray
    frame: tuple[int, int]

    def of_frames(self, frame_inds: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return points ``(F, P, J, 2)`` and scores ``(F, P, J)``, float32."""
        points, scores = (
            torch.from_numpy(array[:, list(frame_inds)].astype(np.float32))
            for array in (self.points, self.scores)
        )
        return points.transpose(0, 1), scores.transpose(0, 1)


class KeypointFile:
    """An ``.npz`` with the keypoints of videos, of which one video is read at a time.

    Of a video NAME it holds ``NAME/keypoint`` ``(P, T, J, 2)``, ``NAME/img_shape``
    (height, width) and perhaps ``NAME/keypoint_score`` ``(P, T, J)``; without scores
    every joint counts fully. These are the names of MMAction2 and PYSKL, whose pickles
    docs/human_parsers.md converts with one line.

    Args:
        path: The file.
        joints: ``J``, the joints that there must be.

    Raises:
        UserError: If it is no such file.
    """

    def __init__(self, path: Path, joints: int) -> None:
        self.path = path
        self.joints = joints
        if path.suffix in ('.pkl', '.pickle'):
            raise UserError(
                f'{path} is a pickle, which can run code and is not read',
                'Convert it to .npz once, with the line in docs/human_parsers.md.',
            )
        with self._opened() as archive:
            self._sizes = {
                entry.filename: entry.file_size for entry in archive.filelist
            }
        if not any(name.endswith(_KEYPOINT) for name in self._sizes):
            raise UserError(
                f'{path} holds no array NAME/keypoint of any video',
                'Convert a file of MMAction2 or PYSKL as docs/human_parsers.md says.',
            )

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        try:
            with open_regular(self.path) as file, zipfile.ZipFile(file) as archive:
                yield archive
        except OSError as error:
            reason = error.strerror or error
            raise UserError(f'{self.path} cannot be read ({reason})') from error
        except zipfile.BadZipFile as error:
            raise UserError(
                f'{self.path} is no .npz, or damaged', 'Convert or fetch it again.'
            ) from error

    def find(self, video: str) -> VideoKeypoints | None:
        """Return the keypoints of a video, by its path or name; None if unknown.

        Raises:
            UserError: If its arrays are not of the stated form.
        """
        for name in name_tails(video):
            if f'{name}{_KEYPOINT}' in self._sizes:
                return self._read(name)
        return None

    def _read(self, name: str) -> VideoKeypoints:
        try:
            points = self._array(f'{name}{_KEYPOINT}')[..., :2]
            scores = np.ones(points.shape[:3])
            if f'{name}/keypoint_score.npy' in self._sizes:
                scores = self._array(f'{name}/keypoint_score.npy')
            size = self._array(f'{name}/img_shape.npy')[:2]
            height, width = map(operator.index, size)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self._wrong(name, f'lacks or garbles {error}') from error
        shape = (*scores.shape[:2], self.joints)
        if scores.ndim != 3 or scores.shape != shape or points.shape != (*shape, 2):
            raise self._wrong(
                name,
                f'has keypoint {points.shape} and keypoint_score {scores.shape}, not '
                f'(P, T, {self.joints}, 2) and (P, T, {self.joints})',
            )
        if min(height, width) < 1 or not _numbers(points) or not _numbers(scores):
            raise self._wrong(name, 'holds sizes or numbers that cannot be')
        return VideoKeypoints(points, scores, (height, width))

    def _array(self, member: str) -> np.ndarray:
        if self._sizes[member] > _LARGEST:
            raise ValueError(f'{member}, which is too large')
        with self._opened() as archive:
            try:
                return array_of(archive.read(member))
            except Exception as error:  # arbitrary bytes lead to many kinds
                raise ValueError(member) from error

    def _wrong(self, name: str, what: str) -> UserError:
        return UserError(f'{self.path}: the annotation {name!r} {what}', 'Mend it.')


def _numbers(array: np.ndarray) -> bool:
    return array.dtype.kind in 'iuf' and bool(np.isfinite(array).all())


def render_keypoints(
    points: Tensor, scores: Tensor, frame: tuple[int, int], size: int, sigma: float
) -> Tensor:
    """Return heat-maps ``(F, J, size, size)`` over the whole frame.

    A joint is ``score x exp(-d^2 / 2 sigma^2)`` at the centre of a cell, d being its
    distance to the joint in the frame; of several persons the maximum counts. Source:
    the maps of PoseConv3D (https://arxiv.org/abs/2104.13586), with a width that goes by
    the frame.

    Args:
        points: Joints ``(F, P, J, 2)``, x and y in pixels of the frame, from 0 at the
            centre of the first pixel.
        scores: Confidences ``(F, P, J)``, clipped to 0..1; 0 is no joint.
        frame: Height and width of the frame in pixels.
        size: Cells of the maps on each side.
        sigma: Standard deviation as a share of the frame's longer side.
    """
    maps = scores.new_zeros((points.shape[0], points.shape[2], size, size))
    width = sigma * max(frame)
    centres = torch.arange(size, dtype=points.dtype, device=points.device)
    centres = (centres + 0.5) / size
    for person, score in zip(points.unbind(1), scores.unbind(1), strict=True):
        across, down = (
            torch.exp(-(((centres * side - 0.5 - along[..., None]) / width) ** 2) / 2)
            for along, side in zip(person.unbind(-1), (frame[1], frame[0]), strict=True)
        )
        drawn = down[..., :, None] * across[..., None, :]
        maps = maps.maximum(drawn * score.clamp(0, 1)[..., None, None])
    return maps


@MODELS.register_module()
class KeypointFileParser(HumanParser):
    """Keypoints that somebody found before, drawn as maps.

    Frame numbers are those of the very file that the keypoints were found in: a copy
    at another frame rate does not match. Ready files for UCF101 and HMDB51:
    https://github.com/kennymckormick/pyskl (Apache-2.0) and MMAction2's data set zoo.

    Args:
        file: ``.npz`` made of a file of MMAction2 or PYSKL; see :class:`KeypointFile`.
        label_set: Background and the joints in their order. Defaults to
            ``'coco_keypoints'``.
        size: Cells of the maps on each side. Defaults to 56.
        sigma: Standard deviation of a joint as a share of the frame's longer side.
            Defaults to 0.02 (ours).
        allow_missing: Whether a video without keypoints is all background; otherwise it
            is an error. Defaults to False.

    Raises:
        UserError: If the file is not there, or is of another form.

    Example:
        >>> parser = dict(
        ...     type='mmkd.KeypointFileParser',
        ...     file='data/teachers/keypoints/ucf101_hrnet.npz',
        ...     allow_missing=True,
        ... )
    """

    def __init__(
        self,
        file: str,
        label_set: str = 'coco_keypoints',
        size: int = 56,
        sigma: float = 0.02,
        allow_missing: bool = False,
    ) -> None:
        labels = get_label_set(label_set)
        super().__init__(labels, {'size': size, 'sigma': sigma})
        publisher = 'https://github.com/kennymckormick/pyskl'
        self.path = existing(file, 'keypoint file', publisher)
        self.file = KeypointFile(self.path, len(labels) - 1)
        self.size = size
        self.sigma = sigma
        self.allow_missing = allow_missing

    @torch.no_grad()
    def parse(self, frames: Tensor, video: str, frame_inds: Sequence[int]) -> Tensor:
        """Return ``(F, 1 + J, size, size)`` on the device of the frames.

        Raises:
            UserError: If the file does not know the video, or fewer of its frames.
        """
        found = self.file.find(video)
        if found is None:
            if not self.allow_missing:
                raise UserError(
                    f'{self.path} has no annotation of the video {video}',
                    'Take it off the list, or set allow_missing=True.',
                )
            joints = len(self.label_set) - 1
            maps = torch.zeros(len(frame_inds), joints, self.size, self.size)
            return keypoint_probabilities(maps).to(frames.device)
        total = found.scores.shape[1]
        if len(frame_inds) and not 0 <= min(frame_inds) <= max(frame_inds) < total:
            raise UserError(
                f'{self.path} has {total} frames of {video}, not the frame '
                f'{max(frame_inds)}',
                'Use the very videos that the keypoints were found in.',
            )
        points, scores = found.of_frames(frame_inds)
        maps = render_keypoints(points, scores, found.frame, self.size, self.sigma)
        return keypoint_probabilities(maps).to(frames.device)

    def weights_hash(self) -> str:
        """Return the first digits of the file's SHA-256."""
        return sha256(self.path)[:16]
