"""What was drawn for a batch, in the form in which a device works through it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from mmkd.datasets.tensor_augment import color
from mmkd.datasets.transforms import color as by_image
from mmkd.datasets.transforms.color_jitter import Adjustment

OnTensor = Callable[[Tensor, Tensor], Tensor]

#: The operations on images that ``ColorJitter`` draws, and what they are on tensors.
ON_TENSORS: dict[Any, OnTensor] = {
    by_image.adjust_brightness: color.adjust_brightness,
    by_image.adjust_contrast: color.adjust_contrast,
    by_image.adjust_saturation: color.adjust_saturation,
    by_image.adjust_hue: color.adjust_hue,
}


@dataclass
class ColorPlan:
    """Colour operations of a batch of frames, grouped so that few calls do them.

    Attributes:
        calls: Operation, and where its frames begin and end in the lists.
        places: Frames, one call's after the other's.
        values: A value for each.
    """

    calls: list[tuple[OnTensor, int, int]] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, draws: Sequence[Sequence[tuple[Adjustment, float]]]) -> 'ColorPlan':
        """Group draws.

        Args:
            draws: What ``ColorJitter.draw`` gave, for each frame.
        """
        plan = cls()
        for step in range(max(map(len, draws), default=0)):
            for adjust, on_tensor in ON_TENSORS.items():
                start = len(plan.places)
                for place, draw in enumerate(draws):
                    if step < len(draw) and draw[step][0] is adjust:
                        plan.places.append(place)
                        plan.values.append(draw[step][1])
                if len(plan.places) > start:
                    plan.calls.append((on_tensor, start, len(plan.places)))
        return plan

    def apply(self, frames: Tensor) -> None:
        """Change uint8 frames ``(F, 3, H, W)`` in place."""
        # Two copies to the device in all, which nothing waits for.
        places = torch.tensor(self.places).to(frames.device, non_blocking=True)
        values = torch.tensor(self.values).to(frames.device, non_blocking=True)
        for on_tensor, start, end in self.calls:
            where = places[start:end]
            frames[where] = on_tensor(frames[where], values[start:end])
