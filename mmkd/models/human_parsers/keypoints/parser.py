"""Keypoints on disk as a human parser."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmkd.errors import UserError
from mmkd.files import sha256
from mmkd.models.human_parsers.background import keypoint_probabilities
from mmkd.models.human_parsers.base import HumanParser
from mmkd.models.human_parsers.keypoints.keypoint_file import KeypointFile
from mmkd.models.human_parsers.keypoints.rendering import render_keypoints
from mmkd.models.human_parsers.weights import existing
from mmkd.part_labels import get_label_set
from mmkd.registry import MODELS


@MODELS.register_module()
class KeypointFileParser(HumanParser):
    """Keypoints that somebody found before, drawn as maps.

    Frame numbers are those of the very file that the keypoints were found in: a copy
    at another frame rate does not match. Ready files for UCF101 and HMDB51:
    https://github.com/kennymckormick/pyskl (Apache-2.0) and MMAction2's data set zoo.
    Source: ours.

    Args:
        file: Pickle in the form of MMAction2 and PYSKL; it is read without running
            anything in it. See :class:`KeypointFile`.
        label_set: Background and the joints in their order. Defaults to
            ``'coco_keypoints'``.
        size: Cells of the maps on each side. Defaults to 56.
        sigma: Standard deviation of a joint as a share of the frame's longer side.
            Defaults to 0.02 (ours).
        allow_missing: Whether a video without keypoints is all background; otherwise it
            is an error. Defaults to False.

    Raises:
        UserError: If the file is not there, is of another form, or asks for anything
            but plain values.

    Example:
        >>> parser = dict(
        ...     type='mmkd.KeypointFileParser',
        ...     file='data/teachers/keypoints/ucf101_hrnet.pkl',
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
            empty = torch.zeros(len(frame_inds), joints, self.size, self.size)
            return keypoint_probabilities(empty).to(frames.device)
        total = found.scores.shape[1]
        if len(frame_inds) and not 0 <= min(frame_inds) <= max(frame_inds) < total:
            raise UserError(
                f'{self.path} has {total} frames of {video}, not the frame '
                f'{max(frame_inds)}',
                'Use the very videos that the keypoints were found in.',
            )
        places, scores = found.of_frames(frame_inds)
        maps = render_keypoints(places, scores, found.frame, self.size, self.sigma)
        return keypoint_probabilities(maps).to(frames.device)

    def weights_hash(self) -> str:
        """Return the first digits of the file's SHA-256."""
        return sha256(self.path)[:16]
