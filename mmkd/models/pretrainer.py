"""Self-supervised pre-training: a backbone, its tasks and their teachers."""

from typing import Any

import torch
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.backbones.width import output_width
from mmkd.models.heads import pool_map
from mmkd.models.tasks import EncodedViews, PretextTask
from mmkd.models.teachers import MomentumTeacher
from mmkd.registry import MODELS

Config = dict[str, Any]


@MODELS.register_module()
class Pretrainer(BaseModel):
    """Encode each needed view once, hand the features to the tasks, sum their losses.

    A method is a choice of tasks and teachers: VSPP is one task, auxSKD one task with
    a momentum teacher, both together a joint pre-training. The backbone's weights lie
    under ``backbone.``, so a checkpoint goes into a stock ``Recognizer3D`` as it is.
    Source: ours.

    Args:
        backbone: Config of a backbone that maps clips ``(N, 3, T, H, W)`` to one map
            ``(N, C, t, h, w)``.
        tasks: Configs of :class:`~mmkd.models.tasks.PretextTask` by name. Where a task
            does not say its ``in_channels``, it gets the width of the backbone.
        teachers: Configs of teachers by name. Defaults to None.
        joint_views: Encode all views of a network in one call, so that BatchNorm sees
            them together; False encodes one after the other. Defaults to True.
        data_preprocessor: Config, usually ``mmkd.ClipPreprocessor``.

    Raises:
        UserError: If there is no task, or a task names a teacher that is not there, or
            a teacher has no listener.
    """

    def __init__(
        self,
        backbone: Config,
        tasks: dict[str, Config],
        teachers: dict[str, Config] | None = None,
        joint_views: bool = True,
        data_preprocessor: Config | None = None,
    ) -> None:
        super().__init__(data_preprocessor)
        self.backbone: nn.Module = MODELS.build(backbone)
        width = output_width(self.backbone)
        self.tasks = nn.ModuleDict(
            {
                name: MODELS.build(task, default_args={'in_channels': width})
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

    def _teachers(self) -> dict[str, MomentumTeacher]:
        return dict(self.teachers.items())  # type: ignore[arg-type]

    def _tasks(self) -> dict[str, PretextTask]:
        return dict(self.tasks.items())  # type: ignore[arg-type]

    def _listeners(self, teacher: str) -> dict[str, PretextTask]:
        return {k: task for k, task in self._tasks().items() if task.teacher == teacher}

    def _followed_heads(self, teacher: str) -> dict[str, nn.Module]:
        return {k: task.projector for k, task in self._listeners(teacher).items()}

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
        return self.task_losses(inputs, labels, indices)

    def task_losses(
        self, inputs: Tensor, labels: dict[str, Tensor], indices: Tensor | None
    ) -> dict[str, Tensor]:
        """Do what :meth:`loss` does, for labels that are stacked already.

        Args:
            inputs: Clips of shape ``(N, M, 3, T, H, W)``.
            labels: View labels ``(N, M)`` by name.
            indices: Places ``(N,)`` of the samples in their list.
        """
        student = self._encode_student(inputs)
        teacher = self._encode_teachers(inputs)
        losses = {}
        for name, task in self._tasks().items():
            seen = {view: student[view] for view in task.views}
            batch = EncodedViews(seen, teacher[name], labels, indices)
            for key, value in task.loss(batch).items():
                weight = task.loss_weight if 'loss' in key else 1
                losses[f'{name}/{key}'] = value * weight
        return losses

    def _encode_student(self, inputs: Tensor) -> dict[int, Tensor]:
        views = sorted({view for task in self._tasks().values() for view in task.views})
        if self.joint_views:
            maps = self.backbone(_join_views(inputs, views)).chunk(len(views))
        else:
            maps = [self.backbone(_view(inputs, view)) for view in views]
        return dict(zip(views, maps, strict=True))

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
