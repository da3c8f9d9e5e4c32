"""A resumed run follows the schedule of its config."""

import inspect
import logging
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper, ReduceOnPlateauParamScheduler
from mmengine.optim.scheduler import _ParamScheduler
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmkd.compat.plain import to_plain
from mmkd.registry import HOOKS

# Where a scheduler is, and not what it is; or what has nothing to do with its course.
_IGNORED = {'self', 'optimizer', 'param_name', 'last_step', 'verbose', 'kwargs', 'args'}


@HOOKS.register_module()
class ResumeScheduleHook(Hook):
    """Follow the learning rates of the config, also where they were changed meanwhile.

    MMEngine restores each scheduler with all that it was built with. A finished run
    that is extended, with ``end`` and ``T_max`` enlarged in the config, then goes on
    with the old ones, and its learning rate stands still. Here schedulers that differ
    from those of the checkpoint are built as the config says and run up to the present
    step, as if they had been there from the beginning; one line says so. Where nothing
    differs, nothing is done. Source: ours.

    A scheduler that goes by metrics, and several optimizers, are left to MMEngine, with
    a warning.

    Example:
        With these lines a finished run of 200 epochs goes on to 300 by ``--resume``:

        >>> custom_hooks = [dict(type='mmkd.ResumeScheduleHook')]
        >>> train_cfg = dict(max_epochs=300)
        >>> param_scheduler = [dict(type='CosineAnnealingLR', T_max=300)]
    """

    # Before the checkpoint is handed to whatever reads it.
    priority = 'VERY_HIGH'

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Replace the schedulers and learning rates of the checkpoint, if need be."""
        mine, theirs = runner.param_schedulers, checkpoint.get('param_schedulers')
        if not runner._resume or not isinstance(mine, list) or theirs is None:
            return
        changes = _changes(mine, theirs)
        if not changes:
            return
        text = f'the schedule differs from that of the run to resume ({changes}); '
        metrics = any(isinstance(one, ReduceOnPlateauParamScheduler) for one in mine)
        if metrics or type(runner.optim_wrapper) is not OptimWrapper:
            _warn(f'{text}the one of the checkpoint is followed')
            return
        _warn(f'{text}the one of the config is followed, as if from the beginning')
        _run_up(runner, mine, checkpoint['meta'])
        checkpoint['param_schedulers'] = [one.state_dict() for one in mine]
        groups = runner.optim_wrapper.param_groups
        old_groups = checkpoint['optimizer']['param_groups']
        for old, new in zip(old_groups, groups, strict=False):
            for name in {one.param_name for one in mine} & set(new):
                old[name] = new[name]
                old[f'initial_{name}'] = new[f'initial_{name}']


def _changes(mine: list[_ParamScheduler], theirs: list[dict[str, Any]]) -> str:
    """Return what was changed, e.g. ``T_max 2 -> 4``; '' if nothing."""
    if len(mine) != len(theirs):
        return f'{len(theirs)} schedulers -> {len(mine)}'
    found = []
    for one, state in zip(mine, theirs, strict=True):
        now = to_plain(one.state_dict(), type(one).__name__)
        for name in (*_settings(type(one)), 'base_values'):
            if name in now and name in state and now[name] != state[name]:
                found.append(f'{name} {state[name]} -> {now[name]}')
    return ', '.join(dict.fromkeys(found))


def _settings(kind: type) -> list[str]:
    """Return the arguments that a scheduler of this kind is built with."""
    names: dict[str, None] = {}
    for base in kind.__mro__:
        if '__init__' in vars(base) and base is not object:
            names.update(dict.fromkeys(inspect.signature(base).parameters))
    return [name for name in names if name not in _IGNORED]


def _run_up(
    runner: Runner, schedulers: list[_ParamScheduler], meta: dict[str, Any]
) -> None:
    """Step fresh schedulers to where the run is."""
    epochs, steps = int(meta['epoch']), int(meta['iter'])
    loop = runner.train_loop
    by_epoch = isinstance(loop, EpochBasedTrainLoop)
    length = len(loop.dataloader) if by_epoch else steps + 1
    for step in range(1, steps + 1):
        for one in schedulers:
            if not one.by_epoch:
                one.step()
        if step % length == 0 and step // length <= epochs:
            for one in schedulers:
                if one.by_epoch:
                    one.step()


def _warn(text: str) -> None:
    print_log(text, logger='current', level=logging.WARNING)
