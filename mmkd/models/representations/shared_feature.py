"""One representation for all tasks: the baseline of those that depend on the task."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.registry import MODELS

Maps = Mapping[int, Tensor]


@MODELS.register_module()
class SharedFeature(nn.Module):
    """All tasks read the same maps.

    That tasks of different domains disturb each other on one representation is the
    argument of https://arxiv.org/abs/2204.12729, of which the abstract only is known to
    us: its remedy are *task-dependent representations*. Which forms those take, here
    and in the classes that derive from this one, is ours.

    Args:
        backbone: The student's backbone.
        tasks: Names of the tasks that get a part of their own, here without effect;
            all other tasks share the other part. Defaults to ``('parsing',)``.

    Example:
        >>> representations = dict(type='mmkd.SharedFeature')
        >>> import torch
        >>> shared = SharedFeature(nn.Identity())
        >>> maps = {0: torch.zeros(2, 4, 1, 1, 1)}
        >>> shared.read('parsing', maps, joint=True) is maps
        True
    """

    def __init__(
        self, backbone: nn.Module, tasks: Sequence[str] = ('parsing',)
    ) -> None:
        super().__init__()
        self.tasks = tuple(tasks)

    def source(self, task: str, stage: str | None) -> str | None:
        """Return the path in the backbone that a task reads; None: its last map.

        Args:
            task: Name of the task.
            stage: The stage that it asks for.
        """
        return stage

    def read(self, task: str, maps: Maps, joint: bool) -> Maps:
        """Return what a task reads, by view.

        Args:
            task: Name of the task.
            maps: What was recorded at its source, ``(N, C, t, h, w)`` by view.
            joint: Whether BatchNorm sees the views together.
        """
        return maps

    def head(self, task: str, projector: nn.Module) -> nn.Module:
        """Return a task's projector, with what a following teacher needs before it."""
        return projector

    def restart(self, backbone: nn.Module) -> None:
        """Start again from a backbone that was initialised by now."""

    def complete(self, state: dict[str, Any], prefix: str) -> None:
        """Add what a checkpoint lacks that was made without this part.

        Args:
            state: State dict of a Pretrainer, changed in place.
            prefix: What its keys begin with.
        """

    def _refuse_stage(self, task: str, stage: str | None) -> None:
        if stage is not None:
            raise UserError(
                f'task {task!r} asks for stage {stage!r}, but {type(self).__name__} '
                'says what it reads',
                'Leave stage out, or use mmkd.SharedFeature.',
            )
