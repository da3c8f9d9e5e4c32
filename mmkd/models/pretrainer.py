"""Self-supervised pre-training: a backbone, its tasks and their teachers."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from mmaction.structures import ActionDataSample
from mmengine import dist
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmkd.datasets.clip_types import BatchLabels, Clips, ViewEmbeddings, ViewMaps
from mmkd.errors import UserError
from mmkd.models.heads import at_least_float32, full_precision, output_width, pool_map
from mmkd.models.tasks import EncodedViews, PretextTask, TargetMaps
from mmkd.models.teacher import Encoder, Teacher
from mmkd.registry import MODELS

Config = dict[str, Any]


@MODELS.register_module()
class Pretrainer(BaseModel):
    """Encode each needed view once, hand the features to the tasks, sum their losses.

    ``L = sum over tasks of loss_weight * (sum of the task's losses)``. A method is a
    choice of tasks and teachers: VSPP is one task, auxSKD one task with a momentum
    teacher, both together a joint pre-training. The backbone's weights lie under
    ``backbone.``, so a checkpoint goes into a stock ``Recognizer3D`` as it is.

    Args:
        backbone: Config of a backbone that maps clips ``(N, 3, T, H, W)`` to one map
            ``(N, C, t, h, w)``.
        tasks: Configs of :class:`~mmkd.models.tasks.PretextTask` by name. Where a task
            does not say its ``in_channels``, it gets the width of what it reads.
        teachers: Configs of teachers by name. Defaults to None.
        joint_views: Encode all views of a network in one call, so that BatchNorm sees
            them together; False encodes one after the other. Defaults to True.
        data_preprocessor: Config, usually ``mmkd.ClipPreprocessor``.
        representations: Config of what tasks read where that is not simply the last
            map, e.g. a ``mmkd.SharedFeature``. Defaults to None: the last map, and a
            ``SharedFeature`` where a task asks for the map of a ``stage``.

    Raises:
        UserError: If there is no task, or a task names a teacher or a stage that is not
            there, or a teacher has no listener, or ``representations`` does not fit.

    Example:
        >>> pixels = dict(type='mmkd.ClipPreprocessor', convention='rgb01')
        >>> skd = dict(type='mmkd.SimilarityDistill')
        >>> model = dict(
        ...     type='mmkd.Pretrainer',
        ...     data_preprocessor=pixels,
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
        if not tasks:
            raise UserError('the Pretrainer has no task', 'Give tasks=dict(name=...).')
        self.backbone: nn.Module = MODELS.build(backbone)
        stages = {name: task.get('stage') for name, task in tasks.items()}
        if representations is None and any(stages.values()):
            representations = {'type': 'mmkd.SharedFeature', 'tasks': ()}
        self.representations: Any = None
        widths = dict.fromkeys(tasks, output_width(self.backbone))
        if representations is not None:
            self.representations = MODELS.build(
                representations, default_args={'backbone': self.backbone}
            )
            widths = self.representations.bind(self.backbone, stages)
        self.tasks = nn.ModuleDict(
            {
                name: MODELS.build(task, default_args={'in_channels': widths[name]})
                for name, task in tasks.items()
            }
        )
        self.teachers = nn.ModuleDict(
            {name: MODELS.build(teacher) for name, teacher in (teachers or {}).items()}
        )
        self.joint_views = joint_views
        self._check_names()
        for name, teacher in self._teachers().items():
            teacher.build(self._encoder(name))
        if self.representations is not None:
            # After the teachers, which copy the backbone.
            self.representations.listen(self.backbone)

    def init_weights(self) -> None:
        """Initialise all parts; copies of parts of the backbone follow it."""
        super().init_weights()
        if self.representations is not None:
            self.representations.restart(self.backbone)

    def _check_names(self) -> None:
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
        for name, task in self._tasks().items():
            if task.stage and task.teacher:
                raise UserError(
                    f'task {name!r} reads stage {task.stage!r} and listens to a '
                    'teacher, which gives its last map',
                    'Leave out one of them.',
                )

    def _teachers(self) -> dict[str, Teacher]:
        return dict(self.teachers.items())  # type: ignore[arg-type]

    def _tasks(self) -> dict[str, PretextTask]:
        return dict(self.tasks.items())  # type: ignore[arg-type]

    def _listeners(self, teacher: str) -> dict[str, PretextTask]:
        return {k: task for k, task in self._tasks().items() if task.teacher == teacher}

    def _encoder(self, teacher: str) -> Encoder:
        """Return what a teacher copies of the student."""
        heads: dict[str, nn.Module] = {}
        for name, task in self._listeners(teacher).items():
            heads[name] = task.projector
            if self.representations is not None:
                heads[name] = self.representations.head(name, task.projector)
        return Encoder(self.backbone, heads)

    def forward(
        self,
        inputs: Clips,
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

    def extract_feat(self, inputs: Clips) -> Tensor:
        """Return features ``(N, M, C)`` of clips ``(N, M, 3, T, H, W)``."""
        # (N * M, C)
        features = pool_map(self.backbone(inputs.flatten(0, 1)))
        return features.unflatten(0, inputs.shape[:2])

    def loss(
        self, inputs: Clips, data_samples: list[ActionDataSample]
    ) -> dict[str, Tensor]:
        """Return the weighted losses and the metrics of every task, ``task/name``.

        Raises:
            UserError: If a task reads a view that the sample does not have.
        """
        labels, indices = stack_labels(data_samples), stack_indices(data_samples)
        return self.task_losses(inputs, labels, indices, stack_targets(data_samples))

    def task_losses(
        self,
        inputs: Clips,
        labels: BatchLabels,
        indices: Tensor | None,
        targets: Mapping[str, TargetMaps] | None = None,
    ) -> dict[str, Tensor]:
        """Return what :meth:`loss` does; arguments as in :class:`EncodedViews`."""
        student = self.task_maps(inputs)
        teacher = self._encode_teachers(inputs)
        dense = {} if targets is None else targets
        losses = {}
        for name, task in self._tasks().items():
            maps = {view: at_least_float32(x) for view, x in student[name].items()}
            batch = EncodedViews(maps, teacher[name], labels, indices, dense)
            with full_precision(inputs):
                measured = task.loss(batch)
            for key, value in measured.items():
                # ``uniform``, the loss of an uninformed network, is weighted likewise.
                weighted = 'loss' in key or key == 'uniform'
                losses[f'{name}/{key}'] = value * (task.loss_weight if weighted else 1)
        return {**losses, **mean_metrics(losses)}

    def run_example(self, size: tuple[int, int, int]) -> None:
        """Run all tasks on two black clips ``(T, H, W)``; memories change."""
        tasks = self._tasks().values()
        views = 1 + max(v for t in tasks for v in (*t.views, *t.teacher_views))
        clips = next(self.parameters()).new_zeros(2, views, 3, *size)
        maps = clips.new_zeros(2, views, size[0], 8, 8, dtype=torch.uint8)
        zeros = clips.new_zeros(2, views, dtype=torch.long)
        target = TargetMaps(maps, maps[..., 0, 0] == 0)
        # Class 0 in every view and cell, whatever tasks call the label or target.
        labels: BatchLabels = defaultdict(lambda: zeros)
        targets: dict[str, TargetMaps] = defaultdict(lambda: target)
        self.task_losses(clips, labels, torch.arange(2), targets)

    def task_maps(self, inputs: Clips) -> dict[str, ViewMaps]:
        """Return the maps that every task reads of its clips, by task and view."""
        views = {name: task.views for name, task in self._tasks().items()}

        def encode() -> ViewMaps:
            needed = sorted({view for own in views.values() for view in own})
            return self._encode(lambda x: {'': self.backbone(x)}, inputs, needed)['']

        if self.representations is not None:
            return self.representations.task_maps(encode, views, self.joint_views)
        maps = encode()
        return {name: {view: maps[view] for view in own} for name, own in views.items()}

    def _encode_teachers(self, inputs: Clips) -> dict[str, ViewEmbeddings]:
        """Return the teachers' embeddings by task and view."""
        result: dict[str, ViewEmbeddings] = {name: {} for name in self.tasks}
        for name, teacher in self._teachers().items():
            if self.training and teacher.updates == 'step':
                teacher.update(self._encoder(name))
            listeners = self._listeners(name)
            if not listeners:  # their tasks were left out of a FrozenTeacher
                continue
            views = sorted({v for t in listeners.values() for v in t.teacher_views})
            network = partial(teacher, paths=list(listeners))
            result |= self._encode(network, inputs, views)
        return result

    def _encode(
        self,
        network: Callable[[Tensor], Mapping[str, Tensor]],
        inputs: Clips,
        views: Sequence[int],
    ) -> dict[str, dict[int, Tensor]]:
        """Return what a network makes of views, by name and view.

        Raises:
            UserError: If a sample does not have a view.
        """
        absent = [view for view in views if view >= inputs.shape[1]]
        if absent:
            readers = [
                name
                for name, task in self._tasks().items()
                if absent[0] in (*task.views, *task.teacher_views)
            ]
            raise UserError(
                f'the task {" and ".join(readers)} reads view {absent[0]}, and a '
                f'sample has {inputs.shape[1]} view(s)',
                'Give the sampler more views (num_views, where it has that).',
            )
        result: dict[str, dict[int, Tensor]] = defaultdict(dict)
        for group in [views] if self.joint_views else [[view] for view in views]:
            # (V * N, 3, T, H, W): the clips of the views below each other.
            clips = torch.cat([inputs[:, view] for view in group])
            for name, encoded in network(clips).items():
                parts = encoded.chunk(len(group))
                result[name] |= zip(group, parts, strict=True)
        return result

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        if self.representations is not None:
            self.representations.complete(state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


def mean_metrics(scalars: dict[str, Tensor]) -> dict[str, Tensor]:
    """Average the metrics (all that is no loss) over the processes, in one exchange.

    Losses stay those of the process: their gradients are averaged.
    """
    metrics = {k: v.detach() for k, v in scalars.items() if 'loss' not in k}
    if dist.get_world_size() == 1 or not metrics:
        return metrics
    joined = torch.stack([value.double() for value in metrics.values()])
    dist.all_reduce(joined, 'mean')
    pairs = zip(metrics.items(), joined, strict=True)
    return {name: mean.to(value.dtype) for (name, value), mean in pairs}


def stack_labels(data_samples: list[ActionDataSample]) -> BatchLabels:
    """Return the view labels of ``N`` samples as ``(N, M)`` tensors by name."""
    if not data_samples or 'view_labels' not in data_samples[0]:
        return {}
    labels = [sample.view_labels for sample in data_samples]
    names = labels[0].keys()
    return {name: torch.stack([own.get(name) for own in labels]) for name in names}


def stack_indices(data_samples: list[ActionDataSample]) -> Tensor | None:
    """Return the positions ``(N,)`` of samples in their list, where they are known."""
    indices = [sample.metainfo.get('sample_idx') for sample in data_samples]
    return None if not indices or None in indices else torch.tensor(indices)


def stack_targets(data_samples: list[ActionDataSample]) -> dict[str, TargetMaps]:
    """Return the dense targets of ``N`` samples by name; empty where there are none."""
    if not data_samples or 'targets' not in data_samples[0]:
        return {}
    targets = [sample.targets for sample in data_samples]
    return {
        name: TargetMaps(
            torch.stack([target.get(name).maps for target in targets]),
            torch.stack([target.get(name).valid for target in targets]),
        )
        for name in targets[0].keys()  # noqa: SIM118  (no mapping)
    }
