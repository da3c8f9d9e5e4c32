"""The named parts of a pre-training pipeline, and the steps that they stand for."""

from collections.abc import Mapping
from typing import Any

from mmkd.errors import UserError

Step = dict[str, Any]
Slot = Mapping[str, Any] | None

#: The parts, in the order in which a sample passes them.
SLOTS = ('reader', 'views', 'resize', 'augment', 'after', 'targets')

#: What opens a video where a config does not say.
READER = {'type': 'mmkd.OpenVideo'}

_PER_VIEW = ('groups', 'views')  # options of mmkd.PerView; all else is a step
_TARGETS = ('load', 'align')


def has_slots(node: Any) -> bool:
    """Tell whether a dict of a config describes a data set with named slots."""
    return isinstance(node, Mapping) and isinstance(node.get('views'), Mapping)


def pipeline_steps(dataset: Mapping[str, Any]) -> list[Step]:
    """Return the steps of a data set's config, of named slots or a plain ``pipeline``.

    Raises:
        UserError: If a slot holds what it cannot.
    """
    if has_slots(dataset):
        return view_steps(**{k: dataset[k] for k in SLOTS if k in dataset})
    return list(dataset.get('pipeline') or ())


def target_loaders(dataset: Mapping[str, Any]) -> list[Step]:
    """Return the steps of :func:`pipeline_steps` that load dense targets."""
    return [
        step['load']
        for step in pipeline_steps(dataset)
        if str(step.get('type')).endswith('WithTargets') and 'load' in step
    ]


def view_steps(
    views: Slot = None,
    resize: Slot = None,
    augment: Slot = None,
    after: Slot = None,
    targets: Slot = None,
    reader: Slot = None,
) -> list[Step]:
    """Return the steps that the slots of a ``ViewDataset`` stand for.

    They are configs of transforms, the same dicts that stand in the slots.

    Raises:
        UserError: If a slot holds what it cannot.
    """
    dense = _named('targets', targets)
    unknown = sorted(set(dense) - set(_TARGETS))
    if unknown:
        raise UserError(
            f'ViewDataset: targets has no step {unknown[0]!r}',
            f'It takes: {", ".join(_TARGETS)}.',
        )
    if len(dense) == 1:
        raise UserError(
            f'ViewDataset: targets has only {next(iter(dense))!r}',
            f'Give both: {", ".join(_TARGETS)}.',
        )
    changes = [] if resize is None else [_step('resize', resize)]
    changes += [*_per_view('augment', augment), *_per_view('after', after)]
    if dense:
        # Behind the decoding, which may give smaller frames than the video has.
        changes = [{'type': 'mmkd.WithTargets', **dense, 'transforms': changes}]
    return [
        _step('reader', reader or READER),
        _step('views', views),
        {'type': 'mmkd.DecodeViews'},
        *changes,
        {'type': 'FormatShape', 'input_format': 'NCTHW'},
        {'type': 'mmkd.PackViews'},
    ]


def _step(slot: str, value: Any) -> Any:
    if not isinstance(value, Mapping) or 'type' not in value:
        raise UserError(
            f'ViewDataset: {slot} is {value!r}, not the config of a transform',
            "Give a dict with a type, e.g. views=dict(type='mmkd.PaceViews')."
            if slot == 'views'
            else 'Give a dict with a type.',
        )
    return value


def _named(slot: str, value: Any) -> dict[str, Any]:
    """Return the named steps of a slot; one that is None is left out."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or 'type' in value:
        raise UserError(
            f'ViewDataset: {slot} holds no named steps',
            f'Name each step, e.g. {slot}=dict({_EXAMPLES[slot]}).',
        )
    return {
        name: _step(f'{slot}.{name}', step)
        for name, step in value.items()
        if name not in _PER_VIEW and step is not None
    }


_EXAMPLES = {
    'augment': "crop=dict(type='RandomCrop', size=112)",
    'after': "turn=dict(type='mmkd.RandomQuarterTurn')",
    'targets': "load=dict(type='mmkd.LoadPartMaps', cache='DIR')",
}


def _per_view(slot: str, value: Any) -> list[Step]:
    steps = list(_named(slot, value).values())
    if not steps:
        return []
    options = {key: value[key] for key in _PER_VIEW if value.get(key) is not None}
    return [{'type': 'mmkd.PerView', **options, 'transforms': steps}]
