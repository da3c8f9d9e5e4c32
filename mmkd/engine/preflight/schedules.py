"""Check loops and schedules: their lengths, and half precision."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.device import get_device

from mmkd.errors import UserError

_ANNEALING = ('CosineAnnealing', 'Poly', 'OneCycle')


def check_length_of_run(cfg: Config) -> None:
    """Refuse a training without a step, and a validation every 0 epochs."""
    loop = cfg.get('train_cfg') or {}
    for key in ('max_epochs', 'max_iters', 'val_interval'):
        value = loop.get(key)
        if isinstance(value, int | float) and value < 1:
            raise UserError(
                f'train_cfg.{key} of {cfg.filename} is {value}',
                'Give a whole number of 1 or more.',
            )


def schedule_warnings(cfg: Config) -> Iterator[str]:
    """Warn of each scheduler whose end differs from that of the run.

    Schedulers that count epochs are compared with ``max_epochs``, those that count
    iterations with ``max_iters``; of the others the length is not known yet.
    """
    loop = cfg.get('train_cfg') or {}
    schedulers = list(_schedulers(cfg.get('param_scheduler')))
    for path, one in schedulers:
        by_epoch = one.get('by_epoch', True)
        unit = 'epochs' if by_epoch else 'iterations'
        length = loop.get('max_epochs' if by_epoch else 'max_iters')
        if isinstance(length, int):
            later = [x.get('begin', 0) for _, x in schedulers if x is not one]
            try:
                lines = list(_of_one(one, length, unit, later))
            except TypeError:  # no numbers, which who builds it says better
                continue
            for line in lines:
                yield f'{path} of {cfg.filename}: {line}'


def _schedulers(node: Any, path: str = 'param_scheduler') -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        if 'type' in node:
            yield path, node
        else:
            for key, value in node.items():
                yield from _schedulers(value, f'{path}.{key}')
    elif isinstance(node, (list, tuple)):
        for index, value in enumerate(node):
            yield from _schedulers(value, f'{path}.{index}')


def _of_one(
    one: Mapping[str, Any], length: int, unit: str, later: list[int]
) -> Iterator[str]:
    kind = str(one['type']).rpartition('.')[2]
    begin, end = one.get('begin', 0), one.get('end', float('inf'))
    run = f'the run has {length} {unit}'
    if begin >= length:
        yield f'it begins at {begin}, but {run}'
        return
    last = min(end, length)
    period = one.get('T_max')
    if period is not None and period != last - begin:
        effect = 'is cut off' if period > last - begin else 'rises again before the end'
        late = f', and it begins at {begin}' if begin else ''
        fits = f'T_max={last - begin} fits'
        yield f'T_max is {period}, but {run}{late}: the schedule {effect} ({fits})'
    elif end != float('inf') and end > length:
        yield f'it ends at {end}, but {run}: the schedule is cut off'
    if kind.startswith(_ANNEALING) and end < length and end not in later:
        yield f'it ends at {end} and then holds its last value, but {run}'
    yield from _of_steps(one, begin, last, run)


def _of_steps(
    one: Mapping[str, Any], begin: int, last: float, run: str
) -> Iterator[str]:
    late = [x for x in one.get('milestones', ()) if begin + x >= last]
    if late:
        yield f'milestones {late} are never reached, {run}'
    step = one.get('step_size')
    if step is not None and begin + step >= last:
        yield f'step_size {step} is never reached, {run}'
    total = one.get('total_steps')
    if total is not None and total != last - begin:
        yield f'total_steps is {total}, but {run}'
    periods = one.get('periods')
    if periods and sum(periods) != last - begin:
        yield f'periods add up to {sum(periods)}, but {run}'


def check_precision(cfg: Config, loops: Sequence[str]) -> None:
    """Refuse ``fp16`` in a validation or test on a CPU."""
    for key in loops:
        loop = cfg.get(key)
        if isinstance(loop, Mapping) and loop.get('fp16') and get_device() == 'cpu':
            raise UserError(
                f'{key}.fp16 of {cfg.filename}: a CPU does not compute in it',
                f'Set {key}.fp16=False.',
            )
