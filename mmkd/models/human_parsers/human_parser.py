"""Base of human parsers (body-part segmentation): frames in, probabilities out."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

import torch
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.teacher import state_hash
from mmkd.part_labels import LabelSet

Facts = Mapping[str, str | int | float]


class HumanParser(nn.Module):
    """A frozen teacher of body-part segmentation: part probabilities of each pixel.

    A parser that looks at frames implements :meth:`probabilities`; one that goes by
    the name of the video implements :meth:`parse` as well. That such a
    teacher is distilled is from https://arxiv.org/abs/2204.12729.

    Args:
        label_set: The ``K`` labels.
        settings: What besides the weights makes two parsers' maps differ, such as
            the input size.
        network: Its network, if it has one; frozen here.

    Attributes:
        frames_at_once: Frames that go through the network together at most; bounds the
            memory, changes no value. Defaults to 32.
    """

    frames_at_once = 32

    def __init__(
        self, label_set: LabelSet, settings: Facts, network: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.label_set = label_set
        self.settings = dict(settings)
        self.network = network
        self.requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> 'HumanParser':
        """Stay in eval mode, whatever is asked."""
        super().train(False)
        return self

    @torch.no_grad()
    def forward(self, frames: Tensor) -> Tensor:
        """Return part probabilities ``(F, K, h, w)``, float32, that sum to 1 over K.

        They cover exactly the whole frame: cell ``(i, j)`` is the share
        ``[i/h, (i+1)/h] x [j/w, (j+1)/w]`` of it. ``h`` and ``w`` are the parser's.

        Args:
            frames: ``(F, 3, H, W)``, uint8, RGB, on the parser's device.

        Raises:
            UserError: If the frames have another type or shape.
        """
        if frames.dtype != torch.uint8 or frames.ndim != 4 or frames.shape[1] != 3:
            raise UserError(
                f'{type(self).__name__} got frames {tuple(frames.shape)} of '
                f'{frames.dtype}',
                'Give uint8 RGB frames (F, 3, H, W).',
            )
        # A training step's autocast must not change what the teacher says.
        with torch.autocast(frames.device.type, enabled=False):
            parts = frames.split(self.frames_at_once)
            return torch.cat([self.probabilities(part) for part in parts])

    def probabilities(self, frames: Tensor) -> Tensor:
        """Return what :meth:`forward` returns, of at most ``frames_at_once`` frames.

        They are checked, and gradients are off.
        """
        raise UserError(
            f'{type(self).__name__} goes by the name of the video, not by its frames',
            'Cache its maps with tools/teacher/extract.py.',
        )

    def parse(self, frames: Tensor, video: str, frame_inds: Sequence[int]) -> Tensor:
        """Return part probabilities of named frames, as :meth:`forward` does.

        Args:
            frames: ``(F, 3, H, W)``, uint8, RGB.
            video: Path of the video that they are from.
            frame_inds: Their ``F`` numbers in it, from 0.
        """
        return self(frames)

    def weights_hash(self) -> str:
        """Return a fingerprint of the weights, or of the files that stand for them."""
        return state_hash({} if self.network is None else self.network.state_dict())

    def identity(self) -> dict[str, str | int | float]:
        """Return all that makes two parsers' maps differ, as plain values."""
        return {
            'name': type(self).__name__,
            'label_set': self.label_set.name,
            'weights': self.weights_hash(),
            **self.settings,
        }

    def _add_constants(self, **values: Sequence[float]) -> None:
        """Add buffers ``(3, 1, 1)``, one number a channel, that are no weights."""
        for name, numbers in values.items():
            constant = torch.tensor(numbers, dtype=torch.float32).reshape(-1, 1, 1)
            self.register_buffer(name, constant, persistent=False)


def with_background(person: Tensor, parts: Tensor) -> Tensor:
    """Return ``(F, 1 + K, h, w)``, first ``1 - person``, then ``person x parts``.

    They sum to 1.

    Args:
        person: Probability of a person, ``(F, 1, h, w)``.
        parts: Distribution over the parts of a person, ``(F, K, h, w)``.
    """
    return torch.cat([1 - person, person * parts], dim=1)


def keypoint_probabilities(maps: Tensor) -> Tensor:
    """Return ``(F, 1 + J, h, w)``: background, then the joints.

    A position is as likely a person as its likeliest joint; joints share that in
    proportion to their maps.

    Args:
        maps: Heat-maps ``(F, J, h, w)``, about 0..1, clipped to it.
    """
    maps = maps.clamp(0, 1)
    tiny = torch.finfo(maps.dtype).tiny
    parts = maps / maps.sum(dim=1, keepdim=True).clamp(min=tiny)
    return with_background(maps.amax(dim=1, keepdim=True), parts)


def name_tails(video: str) -> Iterator[str]:
    """Yield a video's path without its ending, and then shorter ends of it.

    The longest that is known somewhere is the best: ``data/set/videos/a/b.mp4`` gives
    ``data/set/videos/a/b``, ``set/videos/a/b`` ... ``a/b``, ``b``.
    """
    path = PurePosixPath(video.replace('\\', '/'))
    parts = [part for part in path.with_suffix('').parts if part not in ('/', '..')]
    for first in range(len(parts)):
        yield '/'.join(parts[first:])
