"""A trial run on black clips, to learn the shapes that modules return."""

from typing import Any

import torch
from mmaction.models.recognizers.base import BaseRecognizer
from torch import Tensor, nn

from mmkd.models.distillation.running import run_network
from mmkd.models.memory import MemoryBank
from mmkd.models.pretrainer import Pretrainer
from mmkd.models.tasks import PartMaps


class _AnyLabels(dict[str, Tensor]):
    """Class 0 for every view, whatever the label is called."""

    def __init__(self, samples: int, views: int, device: torch.device) -> None:
        super().__init__()
        self.zeros = torch.zeros(samples, views, dtype=torch.long, device=device)

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Tensor:
        return self.zeros


def run_example(model: nn.Module, size: tuple[int, int, int]) -> bool:
    """Run a network on two black clips, if it is known how.

    Memories change; run a copy.

    Source: ours.

    Args:
        model: Recognizer or Pretrainer.
        size: Frames, height and width of a clip.

    Returns:
        Whether it ran.
    """
    frames, height, width = size
    device = next(model.parameters()).device
    if isinstance(model, Pretrainer):
        for module in model.modules():
            if isinstance(module, MemoryBank) and not module.size:
                module.resize(2)
        views = 1 + max(v for task in model.tasks.values() for v in _views(task))
        clips = torch.zeros(2, views, 3, frames, height, width, device=device)
        maps = torch.zeros(2, views, frames, 8, 8, dtype=torch.uint8, device=device)
        parts = PartMaps(maps, maps[..., 0, 0] == 0)
        model.task_losses(clips, _AnyLabels(2, views, device), torch.arange(2), parts)
        return True
    layout = getattr(getattr(model, 'data_preprocessor', None), 'format_shape', None)
    shapes = {
        'NCTHW': (2, 1, 3, frames, height, width),
        'NCHW': (2, frames, 3, height, width),
    }
    if not isinstance(model, BaseRecognizer) or layout not in shapes:
        return False
    run_network(model, torch.zeros(shapes[layout], device=device), None)
    return True


def _views(task: Any) -> tuple[int, ...]:
    return (*task.views, *task.teacher_views)
