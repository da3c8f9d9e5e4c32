"""Apply the schedule of the config to a resumed run."""

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.hooks import Hook, ParamSchedulerHook
from mmengine.optim import OptimWrapperDict, ReduceOnPlateauParamScheduler
from mmengine.optim.scheduler import _ParamScheduler
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmkd.compat.plain import to_plain
from mmkd.engine.console import warn
from mmkd.engine.hooks.dataloader_state import batches_done
from mmkd.registry import HOOKS

# Where a scheduler is, and not what it is; or what does not change its rates.
_IGNORED = {'self', 'optimizer', 'param_name', 'last_step', 'verbose', 'kwargs', 'args'}
_POSITION = _IGNORED | {'_global_step', '_last_value'}


@HOOKS.register_module()
class ResumeScheduleHook(Hook):
    """Use the schedule of the config when resuming, even if it was changed since.

    MMEngine restores each scheduler with all that it was built with. A finished run
    that is extended, with ``end`` and ``T_max`` enlarged in the config, then goes on
    with the old ones, and its learning rate stands still. Here schedulers that differ
    from those of the checkpoint, in kind, settings, rates or position, are built as the
    config says and run up to the present position, as if they had been there from the
    beginning; one line says so. Where nothing differs, nothing is done. A learning rate
    that no scheduler changes is that of the config as well.

    With another batch an epoch has another number of steps. Schedules in epochs go by
    the epochs that are done, also those that were converted to steps
    (``convert_to_iter_based``); schedules in steps go by the steps that were made.

    A scheduler that goes by metrics, and several optimizers, are left to MMEngine, with
    a warning.

    Example:
        With these lines a finished run of 200 epochs goes on to 300 by ``--resume``:

        >>> custom_hooks = [dict(type='mmkd.ResumeScheduleHook')]
        >>> train_cfg = dict(max_epochs=300)
        >>> param_scheduler = [dict(type='CosineAnnealingLR', T_max=300)]
    """

    # Before the checkpoint is handed to whatever reads it, but for DataloaderStateHook,
    # which may set its counts back.
    priority = 'VERY_HIGH'

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Replace the schedulers and learning rates of the checkpoint, if need be."""
        saved = checkpoint.get('optimizer')
        if not runner._resume or not saved:
            return
        several = isinstance(runner.optim_wrapper, OptimWrapperDict)
        changes = []
        stepped = any(isinstance(one, ParamSchedulerHook) for one in runner.hooks)
        for schedulers, states, groups, old in _parts(runner, checkpoint):
            progress = ScheduleProgress.of(runner, checkpoint['meta'], schedulers)
            changes += _changes(progress, states, stepped)
            changes += _constant_rates(schedulers, groups, old)
        if not changes:
            return
        named = ', '.join(dict.fromkeys(changes))
        text = f'the schedule differs from that of the run to resume ({named})'
        schedulers = runner.param_schedulers or []
        metrics = any(
            isinstance(one, ReduceOnPlateauParamScheduler) for one in schedulers
        )
        if metrics or several:
            warn(f'{text}; the one of the checkpoint is followed')
            return
        warn(f'{text}; the one of the config is followed, as if from the beginning')
        progress = ScheduleProgress.of(runner, checkpoint['meta'], schedulers)
        for one in progress.in_order():
            one.step()
        if runner.param_schedulers is not None:
            checkpoint['param_schedulers'] = [one.state_dict() for one in schedulers]
        names = {'lr', *(one.param_name for one in schedulers)}
        groups = runner.optim_wrapper.param_groups
        for old, new in zip(_saved_groups(saved), groups, strict=False):
            old.update({k: v for k, v in new.items() if _belongs(k, names)})


@dataclass(frozen=True)
class ScheduleProgress:
    """Schedulers, and the epochs and steps that are done.

    Attributes:
        schedulers: The schedulers.
        converted: Those that go by steps and were described in epochs, by identity.
        epochs: Epochs that are over; 0 in a loop over steps.
        inside: Steps of the epoch that is not over.
        ended: Whether these are all of its steps.
        steps: All steps.
        length: Steps of an epoch, now.
    """

    schedulers: Sequence[_ParamScheduler]
    converted: frozenset[int]
    epochs: int
    inside: int
    ended: bool
    steps: int
    length: int

    @classmethod
    def of(
        cls, runner: Runner, meta: dict[str, Any], schedulers: Sequence[_ParamScheduler]
    ) -> 'ScheduleProgress':
        """Read the counts of a checkpoint."""
        by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
        inside, ended = batches_done(meta) if by_epoch else (0, False)
        return cls(
            schedulers,
            frozenset(map(id, getattr(runner, 'converted_schedulers', ()))),
            epochs=int(meta['epoch']) if by_epoch else 0,
            inside=inside,
            ended=ended,
            steps=int(meta['iter']),
            length=len(runner.train_loop.dataloader) if by_epoch else 0,
        )

    def position(self, one: _ParamScheduler) -> int:
        """Return how often a scheduler has been stepped by now."""
        if one.by_epoch:
            return self.epochs
        if id(one) in self.converted and self.length:
            inside = self.length if self.ended else self.inside
            return self.epochs * self.length + inside
        return self.steps

    def in_order(self) -> Iterator[_ParamScheduler]:
        """Yield the schedulers once for each step that they have behind them."""
        by_steps = [one for one in self.schedulers if not one.by_epoch]
        done = dict.fromkeys(map(id, by_steps), 0)
        for epoch in range(self.epochs):
            ends = {id(one): self._until(one, epoch) for one in by_steps}
            yield from _merged(by_steps, {k: ends[k] - done[k] for k in ends})
            done = ends
            yield from (one for one in self.schedulers if one.by_epoch)
        rest = {id(one): self.position(one) - done[id(one)] for one in by_steps}
        yield from _merged(by_steps, rest)

    def _until(self, one: _ParamScheduler, epoch: int) -> int:
        """Return the steps of one that goes by steps, up to the end of an epoch."""
        if id(one) in self.converted:
            return (epoch + 1) * self.length
        # Epochs may have had several lengths, which are not known.
        return (self.steps - self.inside) * (epoch + 1) // self.epochs


def _merged(
    schedulers: Sequence[_ParamScheduler], counts: dict[int, int]
) -> Iterator[_ParamScheduler]:
    """Yield each as often as it counts, evenly spread, in turns where counts agree."""
    longest = max(counts.values(), default=0)
    for step in range(longest):
        for one in schedulers:
            count = counts[id(one)]
            if (step + 1) * count // longest > step * count // longest:
                yield one


def _parts(runner: Runner, checkpoint: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield, for each optimizer, its schedulers, their states, and both groups."""
    schedulers, states = runner.param_schedulers, checkpoint.get('param_schedulers')
    wrapper, saved = runner.optim_wrapper, checkpoint['optimizer']
    if not isinstance(wrapper, OptimWrapperDict):
        yield schedulers or [], states or [], wrapper.param_groups, _saved_groups(saved)
        return
    for name, one in wrapper.items():
        own, state = (schedulers or {}).get(name, []), (states or {}).get(name, [])
        yield own, state, one.param_groups, _saved_groups(saved.get(name, {}))


def _saved_groups(saved: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the groups of an optimizer, and the base that MMEngine adds to several."""
    base = saved.get('base_param_settings')
    return [*saved.get('param_groups', ()), *([] if base is None else [base])]


def _belongs(key: str, names: set[str]) -> bool:
    """Tell whether an entry of a group is a schedule's: ``lr``, ``initial_lr``."""
    if key == 'betas':  # a schedule of momentum writes Adam's
        return 'momentum' in names
    return any(key == name or key.endswith(f'_{name}') for name in names)


def _changes(
    progress: ScheduleProgress, states: list[dict[str, Any]], stepped: bool
) -> list[str]:
    """Return what was changed, e.g. ``T_max 2 -> 4``."""
    schedulers = progress.schedulers
    if len(schedulers) != len(states):
        return [f'{len(states)} schedulers -> {len(schedulers)}']
    found = []
    for one, state in zip(schedulers, states, strict=True):
        now = to_plain(one.state_dict(), type(one).__name__)
        settings = [*_settings(type(one)), 'base_values']
        plateau = isinstance(one, ReduceOnPlateauParamScheduler)
        if not plateau and now.keys() != state.keys():
            found.append(f'another kind -> {type(one).__name__}')
            continue
        differ = [
            f'{name} {_short(state[name])} -> {_short(now[name])}'
            for name in settings
            if name in now and name in state and now[name] != state[name]
        ]
        position, old = progress.position(one), state['_global_step']
        if differ or plateau:
            found += differ
        elif any(now[name] != state[name] for name in now if name not in _POSITION):
            found.append(f'settings of {type(one).__name__}')
        elif stepped and position != old:
            found.append(f'position of {type(one).__name__} {old} -> {position}')
    return found


def _short(value: Any) -> str:
    return f'{value:g}' if isinstance(value, float) else str(value)


def _constant_rates(
    schedulers: Sequence[_ParamScheduler],
    groups: list[dict[str, Any]],
    saved: list[dict[str, Any]],
) -> list[str]:
    """Return changes of learning rates that no scheduler sees to."""
    if any(one.param_name == 'lr' for one in schedulers):
        return []
    return [
        f'lr {_short(old["lr"])} -> {_short(new["lr"])}'
        for old, new in zip(saved, groups, strict=False)
        if old['lr'] != new['lr']
    ]


def _settings(kind: type) -> list[str]:
    """Return the arguments that a scheduler of this kind is built with."""
    bases = [one for one in kind.__mro__[:-1] if '__init__' in vars(one)]
    names = [name for one in bases for name in inspect.signature(one).parameters]
    return [name for name in dict.fromkeys(names) if name not in _IGNORED]
