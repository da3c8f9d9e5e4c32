"""Choose the feature maps of the backbone that each task reads."""

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from mmkd.datasets.clip_types import ViewMaps
from mmkd.errors import UserError
from mmkd.models.heads import output_width
from mmkd.models.recorder import Recorder
from mmkd.registry import MODELS

Maps = Mapping[int, Tensor]
EXAMPLE = (8, 32, 32)  # frames, height and width


@MODELS.register_module()
class SharedFeature(nn.Module):
    """All tasks read the same maps: the last one, or that of a stage they ask for.

    That tasks of different domains disturb each other on one representation is the
    argument of https://arxiv.org/abs/2204.12729, of which the abstract only is known to
    us: its remedy are *task-dependent representations*. Which forms those take in the
    classes that derive from this one
    (:mod:`mmkd.methods.human_prior.own_representations`) is ours.

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
        self._sources: dict[str, str | None] = {}
        self._recorder: Recorder | None = None

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
        """Return a task's projector, with what a momentum teacher needs before it."""
        return projector

    def restart(self, backbone: nn.Module) -> None:
        """Start again from a backbone that was initialised by now."""

    def complete(self, state: dict[str, Any], prefix: str) -> None:
        """Add what a checkpoint lacks that was made without this part.

        Args:
            state: State dict of a Pretrainer, changed in place.
            prefix: What its keys begin with.
        """

    def bind(
        self, backbone: nn.Module, stages: Mapping[str, str | None]
    ) -> dict[str, int]:
        """Find what the tasks of a model read, and return its channels by task.

        Args:
            backbone: The student's backbone.
            stages: The stage that each task asks for.

        Raises:
            UserError: If a task or stage does not exist or fit.
        """
        for name in self.tasks:
            if name not in stages:
                raise UserError(
                    f'model.representations has tasks {self.tasks}, the model has: '
                    f'{", ".join(stages)}',
                    'Name tasks of the model.',
                )
        self._sources = {task: self.source(task, s) for task, s in stages.items()}
        if None not in self._sources.values():
            read = ', '.join(map(repr, self._sources.values()))
            print_log(
                f'no task reads the last map of the backbone, only {read}: what lies '
                'behind is not trained (several processes need '
                'find_unused_parameters=True)',
                'current',
                logging.WARNING,
            )
        if not any(self._sources.values()) and type(self) is SharedFeature:
            return dict.fromkeys(stages, output_width(backbone))
        return self._widths(*copy.deepcopy((backbone, self)))

    def _widths(self, backbone: nn.Module, form: 'SharedFeature') -> dict[str, int]:
        """Let a copy of the networks tell the channels on a black clip."""
        weight = next(backbone.parameters())
        clip = torch.zeros(1, 3, *EXAMPLE, dtype=weight.dtype, device=weight.device)
        backbone.eval()
        form.eval().listen(backbone)
        with torch.no_grad():
            views = dict.fromkeys(self._sources, (0,))
            read = form.task_maps(lambda: {0: backbone(clip)}, views, joint=True)
        for task, maps in read.items():
            if maps[0].ndim != 5:
                raise UserError(
                    f'task {task!r} reads {self._sources[task]!r}, which is no map '
                    f'(N, C, t, h, w) but of shape {tuple(maps[0].shape)}',
                    'Name a stage of the backbone.',
                )
        return {task: maps[0].shape[1] for task, maps in read.items()}

    def listen(self, backbone: nn.Module) -> None:
        """Record what the tasks read of a backbone, from now on.

        Raises:
            UserError: If there is no module of that name.
        """
        paths = sorted({path for path in self._sources.values() if path})
        self._recorder = Recorder(backbone, paths, 'backbone')

    def task_maps(
        self,
        encode: Callable[[], ViewMaps],
        views: Mapping[str, Sequence[int]],
        joint: bool,
    ) -> dict[str, ViewMaps]:
        """Return the maps that every task reads, by task and view.

        Args:
            encode: Run the backbone; returns its last map by view.
            views: The views that each task reads.
            joint: Whether BatchNorm sees the views together.
        """
        assert self._recorder is not None
        with self._recorder:
            maps: dict[str | None, ViewMaps] = {None: encode()}
        for path, recorded in self._recorder.take().items():
            parts = recorded.chunk(len(maps[None]))
            maps[path] = dict(zip(maps[None], parts, strict=True))
        return {
            task: dict(
                self.read(task, {v: maps[self._sources[task]][v] for v in own}, joint)
            )
            for task, own in views.items()
        }

    def _refuse_stage(self, task: str, stage: str | None) -> None:
        if stage is not None:
            raise UserError(
                f'task {task!r} asks for stage {stage!r}, but {type(self).__name__} '
                'says what it reads',
                'Leave stage out, or use mmkd.SharedFeature.',
            )
