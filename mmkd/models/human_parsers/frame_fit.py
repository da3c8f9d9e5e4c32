"""Where a frame lies in a network's input, there and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Size = tuple[int, int]  # height, width
Nodes = float | Literal['cells', 'corners']


@dataclass(frozen=True)
class Axis:
    """Positions along one side: input pixel = ``scale`` x frame pixel + ``shift``.

    Pixels count from 0 at the centre of the first one.

    Attributes:
        frame: Pixels of the frame.
        input: Pixels of the network's input.
        scale: Input pixels per frame pixel.
        shift: Input position of the centre of the frame's first pixel.
    """

    frame: int
    input: int
    scale: float
    shift: float

    def sources(self, device: torch.device) -> Tensor:
        """Return the frame position of each input pixel, ``(input,)``."""
        return (torch.arange(self.input, device=device) - self.shift) / self.scale

    def cells(self, step: int) -> int:
        """Return how many map cells of ``step`` input pixels cover the frame."""
        return max(1, round(self.frame * self.scale / step))

    def targets(self, cells: int, device: torch.device) -> Tensor:
        """Return the input position of the centre of each of ``cells``, ``(cells,)``.

        The cells divide the frame evenly, from edge to edge.
        """
        centres = (torch.arange(cells, device=device) + 0.5) * self.frame / cells - 0.5
        return centres * self.scale + self.shift


@dataclass(frozen=True)
class FrameFit:
    """How frames are laid into a network's input, and its answer back over them.

    Attributes:
        y: The vertical axis.
        x: The horizontal axis.
    """

    y: Axis
    x: Axis

    def to_input(self, frames: Tensor) -> Tensor:
        """Return the network's input ``(F, C, h, w)``; zero where no frame is.

        Bilinear; frames of more than twice the size are halved first, so that no pixel
        is skipped (ours).

        Args:
            frames: ``(F, C, H, W)``, float.
        """
        positions = []
        for axis, window in ((self.y, (2, 1)), (self.x, (1, 2))):
            coordinates, scale = axis.sources(frames.device), axis.scale
            while scale < 0.5:
                frames = functional.avg_pool2d(frames, window, ceil_mode=True)
                coordinates, scale = (coordinates - 0.5) / 2, scale * 2
            positions.append(coordinates)
        return _sample(frames, positions, 'zeros')

    def to_frame(self, scores: Tensor, nodes: Nodes, step: int) -> Tensor:
        """Return scores over exactly the frame, ``(F, K, cells, cells)``.

        Args:
            scores: The network's answer, ``(F, K, h, w)``, over its whole input.
            nodes: Where the scores lie: ``'cells'`` that divide the input evenly;
                ``'corners'``, the outer ones on the outer pixels; or a number of pixels
                from one to the next, the first one on the first pixel.
            step: Input pixels per cell of the result, about.
        """
        positions = []
        for axis, count in zip((self.y, self.x), scores.shape[-2:], strict=True):
            coordinates = axis.targets(axis.cells(step), scores.device)
            if nodes == 'cells':
                coordinates = (coordinates + 0.5) * count / axis.input - 0.5
            elif nodes == 'corners':
                coordinates = coordinates * (count - 1) / max(1, axis.input - 1)
            else:
                coordinates = coordinates / nodes
            positions.append(coordinates)
        return _sample(scores, positions, 'border')


def stretched(frame: Size, size: Size) -> FrameFit:
    """Fit the frame's edges to the input's edges, whatever its aspect ratio."""
    return FrameFit(*(_centred(f, s, s / f) for f, s in zip(frame, size, strict=True)))


def letterboxed(frame: Size, size: Size) -> FrameFit:
    """Fit the frame into the middle of the input, keeping its aspect ratio."""
    scale = min(s / f for f, s in zip(frame, size, strict=True))
    return FrameFit(*(_centred(f, s, scale) for f, s in zip(frame, size, strict=True)))


def _centred(frame: int, size: int, scale: float) -> Axis:
    return Axis(frame, size, scale, (size - 1) / 2 - scale * (frame - 1) / 2)


def _sample(maps: Tensor, coordinates: Sequence[Tensor], outside: str) -> Tensor:
    """Read maps ``(F, C, H, W)`` bilinearly at rows and columns ``coordinates``."""
    y, x = coordinates
    height, width = maps.shape[-2:]
    # grid_sample counts from -1 to 1, edge to edge.
    rows = (2 * y + 1) / height - 1
    columns = (2 * x + 1) / width - 1
    grid = torch.stack(torch.meshgrid(columns, rows, indexing='xy'), dim=-1)
    return functional.grid_sample(
        maps,
        grid.to(maps.dtype).expand(len(maps), -1, -1, -1),
        padding_mode=outside,
        align_corners=False,
    )
