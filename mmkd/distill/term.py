"""One distillation term: a student's and a teacher's output, connector and loss."""

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from mmaction.structures import ActionDataSample
from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.registry import MODELS

Config = Mapping[str, Any]
SUPPLIED = ('student', 'teacher', 'labels')


class Term:
    """A pair of recorded outputs, perhaps a connector, a loss and its weight.

    ``L = weight * loss(connector(student), teacher)``. That a loss's arguments are
    checked against its signature when the model is built is MMRazor's idea.

    Args:
        name: Name in the log.
        student: Path of the student's module, see
            :class:`~mmkd.models.recorder.Recorder`.
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
        for key, default in self.asks.items():
            if key not in SUPPLIED and default is inspect.Parameter.empty:
                raise UserError(
                    f'{self}: {type(self.loss).__name__} asks for {key!r}, which '
                    f'nothing supplies; supplied are {", ".join(SUPPLIED)}',
                    'Use a loss of student and teacher.',
                )

    def __str__(self) -> str:
        return f'distillation term {self.name!r}'

    def connect(self, shapes: tuple[torch.Size, torch.Size] | None) -> None:
        """Build the connector.

        Args:
            shapes: Of the student's and the teacher's output after pooling; None where
                they are not known yet.

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
            return tuple(x.flatten(2).mean(dim=2) if x.ndim > 2 else x for x in pair)
        return pair

    def __call__(
        self,
        student: Mapping[str, Tensor],
        teacher: Mapping[str, Tensor],
        data_samples: list[ActionDataSample] | None,
    ) -> Tensor:
        """Return the weighted loss of recorded outputs by path, a scalar.

        Raises:
            UserError: If the shapes do not go together.
        """
        one, other = self.read(student, teacher)
        try:
            labels = _labels(data_samples) if 'labels' in self.asks else None
            return self.weight * self.compute(one, other, labels)
        except ValueError as error:
            raise self.refuse_shapes(one, other, error) from error

    def compute(
        self, student: Tensor, teacher: Tensor, labels: Tensor | None
    ) -> Tensor:
        """Return the loss of what :meth:`read` returned, not weighted."""
        if self.connector is not None:
            student = self.connector(student)
        self.agreement = None
        if student.shape == teacher.shape and student.ndim > 1:
            classes = getattr(self.loss, 'compares_classes', False)
            metric = same_choice if classes and student.ndim == 2 else mean_cosine
            self.agreement = metric(student, teacher)
        arguments = {'student': student, 'teacher': teacher}
        if labels is not None:
            arguments['labels'] = labels.to(student.device)
        return self.loss(**arguments)

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


def term_arguments(name: str, cfg: Config) -> dict[str, Any]:
    """Return the arguments of a term, checked by name.

    Raises:
        UserError: If there is no such argument, or one is missing.
    """
    known = ('student', 'teacher', 'pool', 'connector', 'loss', 'weight')
    defaults = _arguments(Term)
    _check(cfg, {key: defaults[key] for key in known}, f'distillation term {name!r}')
    return dict(cfg)


def build_checked(cfg: Config, where: str) -> nn.Module:
    """Build a registered module whose arguments are checked by name.

    Raises:
        UserError: If the type or an argument does not exist, or one is missing.
    """
    cls = MODELS.get(cfg.get('type', ''))
    if cls is None:
        raise UserError(f'{where}: there is no type {cfg.get("type")!r}')
    given = [key for key in cfg if key != 'type']
    _check(given, _arguments(cls), f'{where}: {cls.__name__}')
    return MODELS.build(dict(cfg))


def _check(given: Collection[str], known: Mapping[str, Any], where: str) -> None:
    """Compare names of arguments with those that exist, given with their defaults."""
    remedy = f'It takes: {", ".join(known) or "none"}.'
    for key in given:
        if key not in known:
            raise UserError(f'{where} has no argument {key!r}', remedy)
    for key, default in known.items():
        if default is inspect.Parameter.empty and key not in given:
            raise UserError(f'{where} needs {key!r}', remedy)


def _arguments(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the defaults of a function's named arguments."""
    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.kind in kinds}


def _labels(data_samples: list[ActionDataSample] | None) -> Tensor:
    if not data_samples or 'gt_label' not in data_samples[0]:
        raise ValueError('the loss asks for labels, and the clips have none')
    return torch.cat([s.gt_label.reshape(-1) for s in data_samples])


@torch.no_grad()
def same_choice(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the share of samples ``(N, K)`` whose largest entries coincide, 0 to 1."""
    return (student.argmax(dim=1) == teacher.argmax(dim=1)).float().mean()


@torch.no_grad()
def mean_cosine(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean cosine between samples ``(N, ...)``, flattened, -1 to 1."""
    wide = torch.promote_types(student.dtype, torch.float32)
    one, other = (x.flatten(1).to(wide) for x in (student, teacher))
    return functional.cosine_similarity(one, other, dim=1).mean()
