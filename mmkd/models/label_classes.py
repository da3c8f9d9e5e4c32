"""Set the number of classes of heads from the labels that the sampler declares."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mmaction.registry import MODELS, TRANSFORMS
from mmengine.config import Config
from torch import nn

from mmkd.error_lines import building
from mmkd.errors import UserError
from mmkd.models.tasks import PretextTask

_TEACHERS = ('teacher', 'teachers')


@dataclass(frozen=True)
class Declared:
    """What a transform declares about one of its labels.

    Attributes:
        classes: Number of classes.
        option: Option that decides it, with its value where one is known, e.g.
            ``train_dataloader.dataset.views.paces=[1, 2]``.
    """

    classes: int
    option: str


def fill_in_classes(cfg: Config) -> None:
    """Give the heads of the tasks the numbers of classes that the sampler declares.

    Every dict of ``train_dataloader.dataset`` whose type has ``labels`` counts, also in
    data sets that repeat or join others; and every task of ``model``, also that of a
    student in a ``Distiller``. The numbers are written into the config in place, so
    that what a run dumps builds the same model without a data set.

    Raises:
        UserError: If a task and the sampler, or two samplers, disagree about a number.
    """
    labels = declared_labels(cfg.get('train_dataloader') or {})
    for path, node in _dicts(cfg.get('model'), 'model', _TEACHERS):
        task = _class_of(MODELS, node)
        if inspect.isclass(task) and issubclass(task, PretextTask):
            _fill_in_task(node, path, task, labels, str(cfg.filename or 'the config'))


def declared_labels(loader: Mapping[str, Any]) -> dict[str, Declared]:
    """Return what the transforms of a data loader's config declare, by label.

    Raises:
        UserError: If two of them declare different numbers for one label.
    """
    found: dict[str, Declared] = {}
    for path, node in _dicts(loader.get('dataset'), 'train_dataloader.dataset'):
        cls = _class_of(TRANSFORMS, node)
        if not getattr(cls, 'labels', None) and not hasattr(cls, 'label_options'):
            continue
        with building(f'{path} of the config'):
            built = TRANSFORMS.build(dict(node))
        for label, classes in built.labels.items():
            option = _option_of(built, label)
            value = f'{path}.{option}' if option else f'{path} ({node["type"]})'
            if option in node:
                value += f'={_written(node[option])}'
            _add(found, label, Declared(classes, value))
    return found


def _add(found: dict[str, Declared], label: str, new: Declared) -> None:
    old = found.setdefault(label, new)
    if old.classes != new.classes:
        raise UserError(
            f'{old.option} makes {old.classes} classes of the label {label!r}, '
            f'{new.option} makes {new.classes}',
            'Set both alike: one head has to tell them.',
        )


def _fill_in_task(
    node: Any,
    path: str,
    task: type[PretextTask],
    labels: Mapping[str, Declared],
    source: str,
) -> None:
    for label, option in task.class_options().items():
        if label not in labels:
            continue
        declared = labels[label]
        wanted = task.option_value(label, declared.classes)
        given = node.get(option)
        if given is None:
            node[option] = wanted
        elif _size(given) != _size(wanted):
            raise UserError(
                f'{source}: {path}.{option}={_written(given)}, but {declared.option} '
                f'makes {declared.classes} classes of the label {label!r}',
                f'Leave {option} out, or set it to {_written(wanted)}.',
            )


def check_classes(model: nn.Module, dataset: Any) -> None:
    """Compare the heads of a built model with the labels of a built data set.

    For a training that none of our programs prepared. The model may be wrapped, and
    the data set may repeat or join others.

    Raises:
        UserError: If a task has another number of classes than the sampler declares.
    """
    labels: dict[str, Declared] = {}
    for transform in _transforms(dataset):
        for label, classes in getattr(transform, 'labels', {}).items():
            option = _option_of(transform, label)
            text = f'{option} of {type(transform).__name__}' if option else ''
            _add(labels, label, Declared(classes, text or type(transform).__name__))
    for name, task in model.named_modules():
        if not isinstance(task, PretextTask) or set(name.split('.')) & set(_TEACHERS):
            continue
        for label, classes in task.classes.items():
            declared = labels.get(label)
            if declared is None or declared.classes == classes:
                continue
            path = f'model.{name.removeprefix("module.")}'
            option = task.class_options().get(label)
            wanted = _written(task.option_value(label, declared.classes))
            remedy = f'Set {path}.{option}={wanted}, or change the sampler.'
            raise UserError(
                f'{path} tells {classes} classes of the label {label!r}, and '
                f'{declared.option} makes {declared.classes}',
                remedy if option else 'Change the sampler, or take another task.',
            )


def _transforms(dataset: Any) -> Iterator[Any]:
    """Yield the transforms of a data set, those inside others included."""
    for inner in getattr(dataset, 'datasets', None) or ():
        yield from _transforms(inner)
    if hasattr(dataset, 'dataset'):
        yield from _transforms(dataset.dataset)
    if hasattr(dataset, 'pipeline'):
        yield from _transforms(dataset.pipeline)
    inside = getattr(dataset, 'transforms', None) or ()
    for step in inside if isinstance(inside, (list, tuple)) else [inside]:
        yield step
        yield from _transforms(step)


def _option_of(transform: Any, label: str) -> str | None:
    return dict(getattr(transform, 'label_options', {})).get(label)


def _class_of(registry: Any, node: Mapping[str, Any]) -> Any:
    kind = node.get('type')
    return registry.get(kind) if isinstance(kind, str) else kind


def _dicts(
    node: Any, path: str, skip: tuple[str, ...] = ()
) -> Iterator[tuple[str, Any]]:
    """Yield the dicts of a config that have a type, with their paths."""
    if isinstance(node, Mapping):
        if node.get('type') is not None:
            yield path, node
        for key, value in node.items():
            if key not in skip:
                yield from _dicts(value, f'{path}.{key}', skip)
    elif isinstance(node, (list, tuple)):
        for index, value in enumerate(node):
            yield from _dicts(value, f'{path}[{index}]', skip)


def _size(value: Any) -> Any:
    """Return a number, or the length of a list: clips make the classes of an order."""
    return len(value) if isinstance(value, (list, tuple)) else value


def _written(value: Any) -> str:
    return str(list(value)) if isinstance(value, (list, tuple)) else repr(value)
