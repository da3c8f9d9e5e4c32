"""Self-supervised pre-training: a backbone, its tasks and their teachers."""

import logging
from collections.abc import Sequence
from typing import Any

import torch
from mmaction.structures import ActionDataSample
from mmengine.logging import print_log
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.distillation.recorder import Recorder
from mmkd.models.full_precision import at_least_float32, full_precision
from mmkd.models.heads import pool_map
from mmkd.models.representations import SharedFeature
from mmkd.models.representations.widths import widths
from mmkd.models.tasks import EncodedViews, PartMaps, PretextTask
from mmkd.models.teachers import MomentumTeacher
from mmkd.registry import MODELS

Config = dict[str, Any]


@MODELS.register_module()
class Pretrainer(BaseModel):
    """Encode each needed view once, hand the features to the tasks, sum their losses.

    A method is a choice of tasks and teachers: VSPP is one task, auxSKD one task with
    a momentum teacher, both together a joint pre-training. The backbone's weights lie
    under ``backbone.``, so a checkpoint goes into a stock ``Recognizer3D`` as it is.
    A task may read the map of a stage before the last: it is recorded on the way.
    Source: ours.

    Args:
        backbone: Config of a backbone that maps clips ``(N, 3, T, H, W)`` to one map
            ``(N, C, t, h, w)``.
        tasks: Configs of :class:`~mmkd.models.tasks.PretextTask` by name. Where a task
            does not say its ``in_channels``, it gets the width of what it reads.
        teachers: Configs of teachers by name. Defaults to None.
        joint_views: Encode all views of a network in one call, so that BatchNorm sees
            them together; False encodes one after the other. Defaults to True.
        data_preprocessor: Config, usually ``mmkd.ClipPreprocessor``.
        representations: Config of :class:`~mmkd.models.representations.SharedFeature`
            or of a form in which tasks read a part of their own. Defaults to None: all
            tasks share the backbone's maps.

    Raises:
        UserError: If there is no task, or a task names a teacher or a stage that is not
            there, or a teacher has no listener, or ``representations`` does not fit.

    Example:
        >>> skd = dict(type='mmkd.SimilarityDistill')
        >>> model = dict(
        ...     type='mmkd.Pretrainer',
        ...     data_preprocessor=dict(type='mmkd.ClipPreprocessor'),
        ...     backbone=dict(type='mmkd.C3D'),
        ...     tasks=dict(vspp=dict(type='mmkd.SegmentPace'), skd=skd),
        ...     teachers=dict(momentum=dict(type='mmkd.MomentumTeacher')),
        ... )
    """

    def __init__(
        self,
        backbone: Config,
        tasks: dict[str, Config],
        teachers: dict[str, Config] | None = None,
        joint_views: bool = True,
        data_preprocessor: Config | None = None,
        representations: Config | None = None,
    ) -> None:
        super().__init__(data_preprocessor)
        self.backbone: nn.Module = MODELS.build(backbone)
        form = representations or {'type': 'mmkd.SharedFeature', 'tasks': ()}
        self.representations: SharedFeature = MODELS.build(
            form, default_args={'backbone': self.backbone}
        )
        self._sources = {
            name: self.representations.source(name, task.get('stage'))
            for name, task in tasks.items()
        }
        width = widths(self.backbone, self.representations, self._sources)
        self.tasks = nn.ModuleDict(
            {
                name: MODELS.build(task, default_args={'in_channels': width[name]})
                for name, task in tasks.items()
            }
        )
        self.teachers = nn.ModuleDict(
            {name: MODELS.build(teacher) for name, teacher in (teachers or {}).items()}
        )
        self.joint_views = joint_views
        self._check_names()
        for name, teacher in self._teachers().items():
            teacher.attach(self.backbone, self._followed_heads(name))
        # After the teachers, which copy the backbone.
        paths = sorted({path for path in self._sources.values() if path})
        self._recorder = Recorder(self.backbone, paths, 'backbone')

    def init_weights(self) -> None:
        """Initialise all parts; what is a copy of the backbone's stays one."""
        super().init_weights()
        self.representations.restart(self.backbone)

    def _check_names(self) -> None:
        if not self.tasks:
            raise UserError('the Pretrainer has no task', 'Give tasks=dict(name=...).')
        asked = {task.teacher for task in self._tasks().values() if task.teacher}
        for name in sorted(asked - set(self.teachers)):
            known = ', '.join(self.teachers) or 'none'
            raise UserError(
                f'a task listens to teacher {name!r}, the config has: {known}',
                'Add it under model.teachers.',
            )
        for name in sorted(set(self.teachers) - asked):
            raise UserError(
                f'no task listens to teacher {name!r}',
                'Remove it, or name it in a task.',
            )
        self._check_sources()

    def _check_sources(self) -> None:
        """Check which maps tasks read; see that the last one is used."""
        for name in self.representations.tasks:
            if name not in self.tasks:
                raise UserError(
                    f'model.representations has tasks {self.representations.tasks}, '
                    f'the model has: {", ".join(self.tasks)}',
                    'Name tasks of the model.',
                )
        for name, task in self._tasks().items():
            if task.stage and task.teacher:
                raise UserError(
                    f'task {name!r} reads stage {task.stage!r} and listens to a '
                    'teacher, which gives its last map',
                    'Leave out one of them.',
                )
        if None not in self._sources.values():
            read = ', '.join(map(repr, self._sources.values()))
            print_log(
                f'no task reads the last map of the backbone, only {read}: what lies '
                'behind is not trained (several processes need '
                'find_unused_parameters=True)',
                'current',
                logging.WARNING,
            )

    def _teachers(self) -> dict[str, MomentumTeacher]:
        return dict(self.teachers.items())  # type: ignore[arg-type]

    def _tasks(self) -> dict[str, PretextTask]:
        return dict(self.tasks.items())  # type: ignore[arg-type]

    def _listeners(self, teacher: str) -> dict[str, PretextTask]:
        return {k: task for k, task in self._tasks().items() if task.teacher == teacher}

    def _followed_heads(self, teacher: str) -> dict[str, nn.Module]:
        return {
            name: self.representations.head(name, task.projector)
            for name, task in self._listeners(teacher).items()
        }

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[ActionDataSample] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Run the model.

        Args:
            inputs: Clips of shape ``(N, M, 3, T, H, W)``, ``M`` views a sample.
            data_samples: ``N`` samples with the view labels. Needed for ``'loss'``.
            mode: ``'loss'`` returns named scalars; ``'tensor'`` pooled features of
                shape ``(N, M, C)``.

        Raises:
            UserError: For ``'predict'``: a pre-training model has no classes.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples or [])
        if mode == 'tensor':
            return self.extract_feat(inputs)
        raise UserError(
            'a pre-training model cannot be tested', 'Fine-tune it, or use evaluate.py.'
        )

    def extract_feat(self, inputs: Tensor) -> Tensor:
        """Return features ``(N, M, C)`` of clips ``(N, M, 3, T, H, W)``."""
        features = pool_map(self.backbone(inputs.flatten(0, 1)))
        return features.unflatten(0, inputs.shape[:2])

    def loss(
        self, inputs: Tensor, data_samples: list[ActionDataSample]
    ) -> dict[str, Tensor]:
        """Return the weighted losses and the measures of every task.

        Args:
            inputs: Clips of shape ``(N, M, 3, T, H, W)``.
            data_samples: ``N`` samples with ``view_labels``.

        Returns:
            Scalars named ``task/name``.

        Raises:
            UserError: If a task reads a view that the sample does not have.
        """
        labels, indices = stack_labels(data_samples), stack_indices(data_samples)
        return self.task_losses(inputs, labels, indices, stack_parts(data_samples))

    def task_losses(
        self,
        inputs: Tensor,
        labels: dict[str, Tensor],
        indices: Tensor | None,
        parts: PartMaps | None = None,
    ) -> dict[str, Tensor]:
        """Do what :meth:`loss` does, for labels that are stacked already.

        Args:
            inputs: Clips of shape ``(N, M, 3, T, H, W)``.
            labels: View labels ``(N, M)`` by name.
            indices: Places ``(N,)`` of the samples in their list.
            parts: Maps of a human parser. Defaults to None.
        """
        student = self.task_maps(inputs)
        teacher = self._encode_teachers(inputs)
        losses = {}
        for name, task in self._tasks().items():
            maps = {view: at_least_float32(x) for view, x in student[name].items()}
            batch = EncodedViews(maps, teacher[name], labels, indices, parts)
            with full_precision(inputs):
                measured = task.loss(batch)
            for key, value in measured.items():
                weight = task.loss_weight if 'loss' in key else 1
                losses[f'{name}/{key}'] = value * weight
        return losses

    def task_maps(self, inputs: Tensor) -> dict[str, dict[int, Tensor]]:
        """Return the maps that every task reads, by task and view.

        Args:
            inputs: Clips of shape ``(N, M, 3, T, H, W)``.
        """
        views = sorted({view for task in self._tasks().values() for view in task.views})
        maps: dict[str | None, Sequence[Tensor]] = {}
        with self._recorder:
            if self.joint_views:
                joined = self.backbone(_join_views(inputs, views))
                maps[None] = joined.chunk(len(views))
            else:
                maps[None] = [self.backbone(_view(inputs, view)) for view in views]
        for path, recorded in self._recorder.take().items():
            maps[path] = recorded.chunk(len(views))
        result = {}
        for name, task in self._tasks().items():
            by_view = dict(zip(views, maps[self._sources[name]], strict=True))
            mine = {view: by_view[view] for view in task.views}
            result[name] = dict(self.representations.read(name, mine, self.joint_views))
        return result

    def _encode_teachers(self, inputs: Tensor) -> dict[str, dict[int, Tensor]]:
        """Return the teachers' embeddings by task and view."""
        result: dict[str, dict[int, Tensor]] = {name: {} for name in self.tasks}
        for name, teacher in self._teachers().items():
            if self.training:
                teacher.follow(self.backbone, self._followed_heads(name))
            listeners = self._listeners(name)
            views = sorted({v for t in listeners.values() for v in t.teacher_views})
            for group in [views] if self.joint_views else [[view] for view in views]:
                encoded = teacher.encode(_join_views(inputs, group), list(listeners))
                for task, embeddings in encoded.items():
                    parts = embeddings.chunk(len(group))
                    result[task] |= zip(group, parts, strict=True)
        return result

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        self.representations.complete(state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


def _join_views(inputs: Tensor, views: list[int]) -> Tensor:
    """Return the clips of several views below each other, ``(V * N, 3, T, H, W)``."""
    return torch.cat([_view(inputs, view) for view in views])


def _view(inputs: Tensor, view: int) -> Tensor:
    if view >= inputs.shape[1]:
        raise UserError(
            f'a task reads view {view}, but a sample has {inputs.shape[1]} view(s)',
            'Give the sampling transform more views.',
        )
    return inputs[:, view]


def stack_labels(data_samples: list[ActionDataSample]) -> dict[str, Tensor]:
    """Return the view labels of ``N`` samples as ``(N, M)`` tensors by name."""
    if not data_samples or 'view_labels' not in data_samples[0]:
        return {}
    names = data_samples[0].view_labels.keys()
    return {
        name: torch.stack([sample.view_labels.get(name) for sample in data_samples])
        for name in names
    }


def stack_indices(data_samples: list[ActionDataSample]) -> Tensor | None:
    """Return the places ``(N,)`` of the samples in their list, where they are known."""
    places = [sample.metainfo.get('sample_idx') for sample in data_samples]
    return None if not places or None in places else torch.tensor(places)


def stack_parts(data_samples: list[ActionDataSample]) -> PartMaps | None:
    """Return the part maps of ``N`` samples, where they have some."""
    if not data_samples or 'part_maps' not in data_samples[0]:
        return None
    parts = [sample.part_maps for sample in data_samples]
    return PartMaps(
        torch.stack([part.maps for part in parts]),
        torch.stack([part.valid for part in parts]),
    )
