"""One term of distillation: what of the student should resemble what of the teacher."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.measures import mean_cosine, same_choice
from mmkd.registry import MODELS

Config = Mapping[str, Any]
SUPPLIED = ('student', 'teacher', 'labels')


class Term:
    """A pair of recorded outputs, perhaps a connector, a loss and its weight.

    Source: ours; that a loss's arguments are checked against its signature when the
    model is built is MMRazor's idea.

    Args:
        name: Name in the log.
        student: Path of the student's module, see
            :class:`~mmkd.models.distillation.Recorder`.
        loss: Config of a loss whose ``forward`` takes ``student`` and ``teacher``, and
            ``labels`` (class numbers ``(N,)``) where it asks for them.
        teacher: Path of the teacher's module. Defaults to None: the student's.
        pool: Average maps ``(N, C, ...)`` to ``(N, C)`` on both sides.
            Defaults to False.
        connector: Config of a module that the student's output passes, where widths
            differ. Its ``in_channels`` and ``out_channels`` are filled in where they
            can be known. Defaults to None.
        weight: Factor on the loss; with 0 the term is checked and left out.
            Defaults to 1.

    Attributes:
        agreement: Of the last batch, for the log: the share of samples that both put
            into one class where the loss compares classes (``compares_classes``), else
            the mean cosine between the outputs. None where their shapes differ.

    Raises:
        UserError: If the loss or connector does not exist, is given an argument that
            it does not take, or asks for one that nothing supplies.
    """

    def __init__(
        self,
        name: str,
        student: str,
        loss: Config,
        teacher: str | None = None,
        pool: bool = False,
        connector: Config | None = None,
        weight: float = 1.0,
    ) -> None:
        self.name = name
        self.student = student
        self.teacher = teacher or student
        self.pool = pool
        self.weight = weight
        self.connector_config = connector
        self.connector: nn.Module | None = None
        self.loss = build_checked(loss, f'{self}: loss')
        self.agreement: Tensor | None = None
        self.asks = _arguments(self.loss.forward)
        unsupplied = [
            k
            for k, default in self.asks.items()
            if k not in SUPPLIED and default is inspect.Parameter.empty
        ]
        if unsupplied:
            raise UserError(
                f'{self}: {type(self.loss).__name__} asks for {unsupplied[0]!r}, which '
                f'nothing supplies; supplied are {", ".join(SUPPLIED)}',
                'Use a loss of student and teacher.',
            )

    def __str__(self) -> str:
        return f'distillation term {self.name!r}'

    def connect(self, shapes: tuple[torch.Size, torch.Size] | None) -> None:
        """Build the connector.

        Args:
            shapes: Shapes of the student's and the teacher's output after pooling;
                None where they are not known yet.

        Raises:
            UserError: If its widths are neither given nor known.
        """
        if self.connector_config is None:
            return
        cfg = dict(self.connector_config)
        widths = ('in_channels', 'out_channels')
        if shapes is not None:
            known = zip(widths, (shape[1] for shape in shapes), strict=True)
            cfg = {**dict(known), **cfg}
        elif not cfg.keys() >= set(widths):
            raise UserError(
                f'{self}: the widths for its connector cannot be known from here',
                f'Give connector=dict({", ".join(f"{w}=..." for w in widths)}).',
            )
        self.connector = build_checked(cfg, f'{self}: connector')

    def read(self, student: Mapping[str, Tensor], teacher: Mapping[str, Tensor]) -> Any:
        """Return this term's ``(student, teacher)`` outputs, pooled where asked to."""
        pair = student[self.student], teacher[self.teacher]
        if self.pool:
            return pooled(pair[0]), pooled(pair[1])
        return pair

    def __call__(
        self,
        student: Mapping[str, Tensor],
        teacher: Mapping[str, Tensor],
        data_samples: list[ActionDataSample] | None,
    ) -> Tensor:
        """Return the weighted loss, a scalar.

        Args:
            student: Recorded outputs by path.
            teacher: Recorded outputs by path.
            data_samples: ``N`` samples, read where the loss asks for labels.

        Raises:
            UserError: If the shapes do not go together.
        """
        mine, theirs = self.read(student, teacher)
        try:
            labels = _labels(data_samples) if 'labels' in self.asks else None
            return self.weight * self.compute(mine, theirs, labels)
        except ValueError as error:
            raise self.refuse_shapes(mine, theirs, error) from error

    def compute(
        self, student: Tensor, teacher: Tensor, labels: Tensor | None
    ) -> Tensor:
        """Return the loss of what :meth:`read` returned, not weighted."""
        if self.connector is not None:
            student = self.connector(student)
        self.agreement = self._agreement(student, teacher)
        arguments = {'student': student, 'teacher': teacher}
        if labels is not None:
            arguments['labels'] = labels.to(student.device)
        return self.loss(**arguments)

    def _agreement(self, student: Tensor, teacher: Tensor) -> Tensor | None:
        if student.shape != teacher.shape or student.ndim < 2:
            return None
        if getattr(self.loss, 'compares_classes', False) and student.ndim == 2:
            return same_choice(student, teacher)
        return mean_cosine(student, teacher)

    def refuse_shapes(
        self, student: Tensor, teacher: Tensor, error: Exception
    ) -> UserError:
        """Return the error for outputs that do not go together."""
        return UserError(
            f'{self}: {self.student!r} of the student gives {tuple(student.shape)}, '
            f'{self.teacher!r} of the teacher {tuple(teacher.shape)}: '
            f'{str(error).splitlines()[0]}',
            'Name other modules, or give pool=True or connector=dict(...).',
        )


def pooled(x: Tensor) -> Tensor:
    """Average ``(N, C, ...)`` over all places to ``(N, C)``."""
    return x.flatten(2).mean(dim=2) if x.ndim > 2 else x


def build_checked(cfg: Config, where: str) -> nn.Module:
    """Build a registered module whose arguments are checked by name.

    Args:
        cfg: Config with a ``type``.
        where: What messages begin with.

    Raises:
        UserError: If the type or an argument does not exist, or one is missing.
    """
    cls = MODELS.get(cfg.get('type', ''))
    if cls is None:
        raise UserError(f'{where}: there is no type {cfg.get("type")!r}')
    known = _arguments(cls)
    listed = ', '.join(known) or 'none'
    for key in cfg:
        if key != 'type' and key not in known:
            raise UserError(
                f'{where}: {cls.__name__} has no argument {key!r}',
                f'It takes: {listed}.',
            )
    for key, default in known.items():
        if default is inspect.Parameter.empty and key not in cfg:
            raise UserError(
                f'{where}: {cls.__name__} needs {key!r}', f'It takes: {listed}.'
            )
    return MODELS.build(dict(cfg))


def _arguments(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the defaults of a function's named arguments."""
    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.kind in kinds}


def _labels(data_samples: list[ActionDataSample] | None) -> Tensor:
    if not data_samples or 'gt_label' not in data_samples[0]:
        raise ValueError('the loss asks for labels, and the clips have none')
    return torch.cat([s.gt_label.reshape(-1) for s in data_samples])
