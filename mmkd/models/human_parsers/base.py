"""What every human parser is: frames in, part probabilities out."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.teachers.state_hash import state_hash
from mmkd.part_labels import LabelSet

Facts = Mapping[str, str | int | float]


class HumanParser(nn.Module):
    """A frozen teacher that says which body part each place of a frame shows.

    A parser that looks at frames implements :meth:`probabilities`; one that goes by
    the name of the video implements :meth:`parse` as well. Source: ours; that such a
    teacher is distilled is https://arxiv.org/abs/2204.12729.

    Args:
        label_set: The ``K`` labels.
        settings: What besides the weights makes two parsers' maps differ, such as
            the input size.
        network: Its network, if it has one; frozen here.

    Attributes:
        label_set: The labels.
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
