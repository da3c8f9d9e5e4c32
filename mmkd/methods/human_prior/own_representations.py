"""Give tasks features of their own: half of the channels, or a last stage."""

import copy
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.representations import Maps, SharedFeature
from mmkd.registry import MODELS


@MODELS.register_module()
class SplitChannels(SharedFeature):
    """Each kind of task reads its half of the channels of the last map.

    The first half belongs to the tasks that are not named, the second half (with the
    odd channel) to those that are. All layers before serve both. Fine-tuning takes the
    backbone as it is: both halves.

    The code of RSPNet (https://arxiv.org/abs/2011.07949) can split channels between its
    two heads, too.

    Args:
        backbone: The student's backbone.
        tasks: Tasks on the second half. Defaults to ``('parsing',)``.

    Example:
        >>> representations = dict(type='mmkd.SplitChannels', tasks=('parsing',))
        >>> import torch
        >>> halves = SplitChannels(nn.Identity(), tasks=('parsing',))
        >>> maps = {0: torch.arange(4.0).reshape(1, 4, 1, 1, 1)}
        >>> halves.read('avid', maps, joint=True)[0].flatten().tolist()
        [0.0, 1.0]
        >>> halves.read('parsing', maps, joint=True)[0].flatten().tolist()
        [2.0, 3.0]
    """

    def source(self, task: str, stage: str | None) -> str | None:
        """Return None: the last map; a task must not ask for a stage."""
        self._refuse_stage(task, stage)
        return None

    def read(self, task: str, maps: Maps, joint: bool) -> Maps:
        """Return the task's half, by view."""
        half = self._half(task)
        return {view: half(x) for view, x in maps.items()}

    def head(self, task: str, projector: nn.Module) -> nn.Module:
        """Return the projector behind the task's half."""
        return nn.Sequential(self._half(task), projector)

    def _half(self, task: str) -> 'Half':
        return Half(second=task in self.tasks)


class Half(nn.Module):
    """Take the first or the second half of the channels of a map."""

    def __init__(self, second: bool) -> None:
        super().__init__()
        self.second = second

    def forward(self, x: Tensor) -> Tensor:
        """Return ``C // 2`` channels of ``(N, C, t, h, w)``, or the other ones."""
        middle = x.shape[1] // 2
        return x[:, middle:] if self.second else x[:, :middle]


@MODELS.register_module()
class OwnLastStage(SharedFeature):
    """Each named task has a last stage of its own behind the common trunk.

    It starts as a copy of the backbone's, also where the backbone's weights are loaded
    from a checkpoint without branches. The backbone's own last stage belongs to the
    other tasks, so that the backbone stays what it is: for a teacher that follows it,
    and for fine-tuning, which takes the trunk and the stage of the other tasks.
    ``tools/export.py --branch`` writes the trunk with the stage of a named task.

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
        """Return the input of the last stage for a named task, which has no other."""
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
        """Return the projector; a named task must not listen to a teacher."""
        if task in self.tasks:
            raise UserError(
                f'task {task!r} listens to a teacher and has a last stage of its own',
                'Leave it out of model.representations.tasks.',
            )
        return projector

    def restart(self, backbone: nn.Module) -> None:
        """Copy the last stage of the initialised backbone into every branch."""
        state = self._stage_of(backbone).state_dict()
        for branch in self.branches.values():
            branch.load_state_dict(state)

    def complete(self, state: dict[str, Any], prefix: str) -> None:
        """Give every branch that is not in ``state`` the backbone's last stage."""
        for task in self.tasks:
            branch = f'{prefix}representations.branches.{task}.'
            if any(key.startswith(branch) for key in state):
                continue
            for name in self.names:
                stage = f'{prefix}backbone.{name}.'
                keys = [key for key in state if key.startswith(stage)]
                for key in keys:
                    rest = key.removeprefix(f'{prefix}backbone.')
                    state[f'{branch}{rest}'] = state[key]


def last_stage(backbone: nn.Module) -> Sequence[str]:
    """Return the names of the modules of a backbone's last stage.

    They are children of the backbone and run one after the other, the last of them
    last. Our networks say it as ``last_stage``, MMAction2's ``ResNet3d`` as the end of
    ``res_layers``.

    Raises:
        UserError: If the backbone says neither.
    """
    names = getattr(backbone, 'last_stage', None)
    names = names or getattr(backbone, 'res_layers', [])[-1:]
    if not names:
        raise UserError(
            f'{type(backbone).__name__} does not say which modules are its last stage',
            'Give it an attribute last_stage: the names of these children, in order.',
        )
    return names
