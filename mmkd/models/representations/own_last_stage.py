"""A separate last stage for some tasks."""

import copy
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.backbones.last_stage import last_stage
from mmkd.models.representations.shared_feature import Maps, SharedFeature
from mmkd.registry import MODELS


@MODELS.register_module()
class OwnLastStage(SharedFeature):
    """Each named task has a last stage of its own behind the common trunk.

    It starts as a copy of the backbone's, also where the backbone's weights are loaded
    from a checkpoint without branches. The backbone's own last stage belongs to the
    other tasks, so that the backbone stays what it is: for a teacher that follows it,
    and for fine-tuning, which takes the trunk and the stage of the other tasks.
    ``tools/export.py --branch`` writes the trunk with the stage of a named task.

    Source: ours.

    Args:
        backbone: The student's backbone.
        tasks: Tasks with a stage of their own. Defaults to ``('parsing',)``.

    Raises:
        UserError: If the backbone does not say which modules are its last stage.

    Example:
        >>> representations = dict(type='mmkd.OwnLastStage', tasks=('parsing',))
        >>> from mmkd.models.backbones import C3D
        >>> own = OwnLastStage(C3D(base_channels=2), tasks=('parsing',))
        >>> own.source('parsing', stage=None)
        'conv5a:input'
        >>> maps = {0: torch.zeros(2, 16, 1, 2, 2)}
        >>> own.read('parsing', maps, joint=True)[0].shape
        torch.Size([2, 16, 1, 2, 2])
    """

    def __init__(
        self, backbone: nn.Module, tasks: Sequence[str] = ('parsing',)
    ) -> None:
        super().__init__(backbone, tasks)
        self.names = tuple(last_stage(backbone))
        self.branches = nn.ModuleDict({t: self._stage_of(backbone) for t in self.tasks})

    def _stage_of(self, backbone: nn.Module) -> nn.Sequential:
        children = dict(backbone.named_children())
        stage = OrderedDict((name, children[name]) for name in self.names)
        return copy.deepcopy(nn.Sequential(stage))

    def source(self, task: str, stage: str | None) -> str | None:
        """Return the input of the last stage for a named task.

        Raises:
            UserError: If a named task asks for a stage as well.
        """
        if task not in self.tasks:
            return stage
        self._refuse_stage(task, stage)
        return f'{self.names[0]}:input'

    def read(self, task: str, maps: Maps, joint: bool) -> Maps:
        """Return the last map of a named task's own stage, by view."""
        if task not in self.tasks:
            return maps
        branch = self.branches[task]
        if not joint:
            return {view: branch(x) for view, x in maps.items()}
        several = [*maps.values()]
        x: Tensor = branch(torch.cat(several) if len(several) > 1 else several[0])
        return dict(zip(maps, x.chunk(len(several)), strict=True))

    def head(self, task: str, projector: nn.Module) -> nn.Module:
        """Return the projector.

        Raises:
            UserError: If a named task listens to a teacher, which has no such stage.
        """
        if task in self.tasks:
            raise UserError(
                f'task {task!r} listens to a teacher and has a last stage of its own',
                'Leave it out of model.representations.tasks.',
            )
        return projector

    def restart(self, backbone: nn.Module) -> None:
        """Copy the last stage of a backbone that was initialised by now."""
        state = self._stage_of(backbone).state_dict()
        for branch in self.branches.values():
            branch.load_state_dict(state)

    def complete(self, state: dict[str, Any], prefix: str) -> None:
        """Give every branch that is not in ``state`` the backbone's last stage."""
        for task in self.tasks:
            mine = f'{prefix}representations.branches.{task}.'
            if any(key.startswith(mine) for key in state):
                continue
            for name in self.names:
                theirs = f'{prefix}backbone.{name}.'
                keys = [key for key in state if key.startswith(theirs)]
                for key in keys:
                    rest = key.removeprefix(f'{prefix}backbone.')
                    state[f'{mine}{rest}'] = state[key]
