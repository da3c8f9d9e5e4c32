"""Check that a run can be resumed from the state in a checkpoint."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.optim.scheduler import _ParamScheduler
from mmengine.runner import Runner
from torch import Tensor, nn

from mmkd.engine.console import warn
from mmkd.engine.trained_model import unwrap
from mmkd.errors import UserError

OPTIMIZER = 'optimizer_type'
_HINT = 'Resume with the config of that run, or start from its weights with load_from.'
# Set by PyTorch or a schedule, not by whoever chose an optimiser.
_INCIDENTAL = {
    *('params', 'initial_lr', 'initial_momentum', 'lr', 'momentum', 'betas'),
    *('foreach', 'fused', 'capturable', 'differentiable', 'maximize'),
    *('decoupled_weight_decay', 'param_names', 'swap_lr'),
}
# What optimisers of PyTorch keep of each element of a tensor.
_PER_ELEMENT = {
    *('exp_avg', 'exp_avg_sq', 'max_exp_avg_sq', 'exp_inf', 'momentum_buffer'),
    *('square_avg', 'grad_avg', 'acc_delta', 'sum', 'ax'),
}
# No more steps are believed than these times the length of the run, or that many.
_LONGEST, _MANY = 100, 10**6


def check_resumable(runner: Runner, checkpoint: Mapping[str, Any], source: str) -> None:
    """Refuse a checkpoint that a run cannot go on from; before anything is loaded.

    Raises:
        UserError: If counts of epochs and steps, the message hub, the optimiser or the
            schedulers are missing, of another form, of another optimiser, other
            groups or another order of parameters, or not finite.
    """
    meta = checkpoint.get('meta') or {}
    _check_counts(runner, meta, source)
    hub = checkpoint.get('message_hub')
    if not isinstance(hub, Mapping) or not all(
        isinstance(hub.get(key), Mapping)
        for key in ('log_scalars', 'runtime_info', 'resumed_keys')
    ):
        raise _not_of_a_run(source, 'a message hub')
    for name, history in hub['log_scalars'].items():
        if not _is_history(history):
            raise UserError(f'{source} has a log of {name!r} that is none', _HINT)
    _check_information(hub['runtime_info'], source)
    _check_order(runner.model, checkpoint.get('state_dict'), source)
    _check_optimizers(runner, checkpoint.get('optimizer'), meta, source)
    if 'param_schedulers' in checkpoint and runner.param_schedulers is not None:
        _check_schedulers(
            runner.param_schedulers, checkpoint['param_schedulers'], source
        )
    _check_average(checkpoint, source)


def note_optimizer(runner: Runner, checkpoint: dict[str, Any]) -> None:
    """Write the kind of optimiser into the meta of a checkpoint to be saved."""
    wrapper = runner.optim_wrapper
    if isinstance(wrapper, OptimWrapperDict):
        checkpoint['meta'][OPTIMIZER] = {n: _kind(one) for n, one in wrapper.items()}
    elif isinstance(wrapper, OptimWrapper):
        checkpoint['meta'][OPTIMIZER] = _kind(wrapper)


def _kind(wrapper: OptimWrapper) -> str:
    return type(wrapper.optimizer).__name__


def _check_counts(runner: Runner, meta: Mapping[str, Any], source: str) -> None:
    loop = runner.train_loop
    for name in ('epoch', 'iter'):
        longest = getattr(loop, f'max_{name}s', 0)
        count = meta.get(name)
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise _not_of_a_run(source, f'a number of {name}s')
        if count > max(_LONGEST * longest, _MANY):
            raise UserError(
                f'{source} says that it was trained for {count} {name}s; this run has '
                f'{longest}',
                _HINT,
            )
    seed = meta.get('seed')
    if seed is not None and not (isinstance(seed, int) and 0 <= seed < 2**32):
        raise UserError(f'{source} has a seed that is none: {str(seed)[:40]!r}', _HINT)


def _is_history(history: Any) -> bool:
    """Tell whether a logged value is two series of one length (mmkd.compat.plain)."""
    if isinstance(history, HistoryBuffer):  # upstream's own, of a trusted file
        return True
    if not isinstance(history, Mapping):
        return False
    series = [history.get(key) for key in ('log_history', 'count_history')]
    shapes = {one.shape if isinstance(one, Tensor) else None for one in series}
    most = history.get('max_length')
    one_shape = len(shapes) == 1 and len(shapes.pop() or ()) == 1
    return one_shape and type(most) is int and most > 0


def _check_information(information: Mapping[str, Any], source: str) -> None:
    """Check that best scores are numbers: later ones are compared with them."""
    for name, value in information.items():
        if not str(name).startswith('best_score'):
            continue
        if isinstance(value, Tensor) and value.numel() == 1:
            value = value.item()
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or math.isnan(value):
            raise UserError(
                f'{source} has a {name!r} that is no number: {str(value)[:40]!r}', _HINT
            )


def _check_schedulers(own: Any, states: Any, source: str) -> None:
    """Check scheduler states: one list, or one for each name.

    A schedule is told in numbers and words; its position is a whole number.
    """
    if isinstance(own, Mapping):
        if not isinstance(states, Mapping) or not own.keys() <= states.keys():
            raise _not_of_a_run(source, 'its schedulers')
        for name, one in own.items():
            _check_schedulers(one, states[name], source)
        return
    if not isinstance(states, list) or not all(isinstance(s, Mapping) for s in states):
        raise _not_of_a_run(source, 'its schedulers')
    for state in states:
        position = state.get('_global_step')
        tensors = any(isinstance(value, Tensor) for value in state.values())
        if tensors or type(position) is not int or position < 0:
            raise UserError(f'{source} has a schedule of another form', _HINT)


def _check_average(checkpoint: Mapping[str, Any], source: str) -> None:
    """Check the EMA of MMEngine's EMAHook, which is swapped with the weights."""
    if 'ema_state_dict' not in checkpoint:
        return
    average, weights = checkpoint['ema_state_dict'], checkpoint.get('state_dict')
    if not isinstance(average, Mapping) or not isinstance(weights, Mapping):
        raise _not_of_a_run(source, 'the state of an average (ema_state_dict)')
    # MMEngine would take what is missing from the network as it was initialised.
    missing = [name for name in weights if f'module.{name}' not in average]
    if missing:
        raise UserError(
            f'{source} has an average (ema_state_dict) without '
            f'{str(missing[0])[:80]!r}',
            _HINT,
        )
    for name, value in average.items():
        known = isinstance(name, str) and isinstance(value, Tensor)
        other = weights.get(name.removeprefix('module.')) if known else None
        if known and name.startswith('module.'):
            known = isinstance(other, Tensor) and other.shape == value.shape
        elif known and name == 'steps':
            known = value.numel() == 1 and value.item() >= 0
        if not known:
            raise UserError(
                f'{source} has an average (ema_state_dict) whose {str(name)[:80]!r} is '
                'of another form than its weights',
                _HINT,
            )
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise UserError(
                f'{source} has NaN or infinity in its average (ema_state_dict), in '
                f'{name[:80]!r}',
                'Take an earlier one.',
            )


def _check_order(model: nn.Module, saved: Any, source: str) -> None:
    """Compare the order of the parameters: an optimiser knows them by number only."""
    if not isinstance(saved, Mapping):
        return  # loading it has a line for that
    # As they are written: a Distiller renames its student's.
    state = unwrap(model).state_dict(keep_vars=True)
    own = [name for name, value in state.items() if isinstance(value, nn.Parameter)]
    shared = saved.keys() & set(own)
    orders = [[name for name in names if name in shared] for names in (own, saved)]
    for now, before in zip(*orders, strict=True):
        if now != before:
            raise UserError(
                f'{source} has its parameters in another order: {before} where this '
                f'run has {now}',
                'Resume with the config file of that run; the copy in its work_dir '
                'has the tasks in the order of their names.',
            )


def _check_optimizers(
    runner: Runner, state: Any, meta: Mapping[str, Any], source: str
) -> None:
    """Check the state of the optimiser, or of each one where the run has several."""
    wrapper, schedulers = runner.optim_wrapper, runner.param_schedulers
    kinds = meta.get(OPTIMIZER)
    if not isinstance(wrapper, OptimWrapperDict):
        if isinstance(wrapper, OptimWrapper):
            _check_optimizer(wrapper, schedulers, state, kinds, source)
        return
    if not isinstance(state, Mapping) or state.keys() != set(wrapper.keys()):
        raise _not_of_a_run(source, f'the state of {", ".join(wrapper.keys())}')
    for name, one in wrapper.items():
        own = schedulers.get(name) if isinstance(schedulers, Mapping) else schedulers
        kind = kinds.get(name) if isinstance(kinds, Mapping) else None
        _check_optimizer(one, own, state[name], kind, f'{source} ({name})')


def _check_optimizer(
    wrapper: OptimWrapper, schedulers: Any, state: Any, then: Any, source: str
) -> None:
    scheduled = {
        one.param_name for one in schedulers or [] if isinstance(one, _ParamScheduler)
    }
    if not isinstance(state, Mapping):
        raise _not_of_a_run(source, 'the state of an optimiser')
    # Not the wrapper's: with paramwise_cfg it shows one more, of the base settings.
    ours, saved = wrapper.optimizer.param_groups, state.get('param_groups')
    tensors, base = state.get('state'), state.get('base_param_settings')
    if (
        not isinstance(saved, Sequence)
        or not isinstance(tensors, Mapping)
        or not isinstance(base, Mapping | None)
        or not all(isinstance(group, Mapping) for group in saved)
        or not all(isinstance(group.get('params'), Sequence) for group in saved)
    ):
        raise _not_of_a_run(source, 'the state of an optimiser')
    now = _kind(wrapper)
    # Of older checkpoints the names of the settings tell; they are those of a kind.
    differs = [
        (set(a) ^ set(b)) - _INCIDENTAL for a, b in zip(ours, saved, strict=False)
    ]
    if then is not None and then != now:
        raise UserError(f'{source} was made with {then}, this run has {now}', _HINT)
    if then is None and any(differs):
        names = ', '.join(sorted(str(name) for name in set().union(*differs))[:4])
        raise UserError(
            f'{source} was made with another optimiser than {now}: {names} is known to '
            'one of them only',
            _HINT,
        )
    sizes = [[len(g['params']) for g in groups] for groups in (saved, ours)]
    if sizes[0] != sizes[1]:
        raise UserError(
            f'{source} has an optimiser of {_groups(sizes[0])}, this run one of '
            f'{_groups(sizes[1])}',
            f'Parameters were frozen, added or grouped otherwise. {_HINT}',
        )
    _check_settings([*saved, *([] if base is None else [base])], source)
    _say_changes(ours, saved, scheduled, source)
    _check_state(ours, saved, tensors, source)


def _groups(sizes: Sequence[int]) -> str:
    shown = ', '.join(str(size) for size in sizes[:4])
    more = ', ...' if len(sizes) > 4 else ''
    return f'{len(sizes)} groups ({shown}{more} tensors)'


def _check_settings(groups: Sequence[Mapping[str, Any]], source: str) -> None:
    for group in groups:
        for name, value in group.items():
            numbers = value if isinstance(value, Sequence) else [value]
            known = name == 'params' or all(
                value is None
                or isinstance(one, bool | int | str | Tensor)
                or (isinstance(one, float) and math.isfinite(one))
                for one in numbers
            )
            wrong = name == 'lr' and not isinstance(value, int | float | Tensor)
            if not known or wrong:
                raise UserError(
                    f'{source}: its optimiser has {name}={str(value)[:40]}', _HINT
                )


def _say_changes(
    ours: Sequence[Mapping[str, Any]],
    saved: Sequence[Mapping[str, Any]],
    scheduled: set[str],
    source: str,
) -> None:
    """Warn, in one line, where the config states other settings than the checkpoint.

    PyTorch takes those of the checkpoint. Learning rates are those of the schedule, see
    mmkd.ResumeScheduleHook.
    """
    changes = dict.fromkeys(
        f'{name} {other[name]} -> {own[name]}'
        for own, other in zip(ours, saved, strict=True)
        for name in own
        if name in other
        and name not in (_INCIDENTAL - {'betas', 'momentum'}) | scheduled
        and _as_list(own[name]) != _as_list(other[name])
    )
    if changes:
        warn(
            f'{source} has an optimiser of other settings ({", ".join(changes)}); '
            'those of the checkpoint are followed'
        )


def _as_list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _check_state(
    ours: Sequence[Mapping[str, Any]],
    saved: Sequence[Mapping[str, Any]],
    state: Mapping[Any, Any],
    source: str,
) -> None:
    """Check that optimiser states have the shape of their tensors."""
    owners = {
        key: parameter
        for own, other in zip(ours, saved, strict=True)
        for key, parameter in zip(other['params'], own['params'], strict=True)
    }
    for key, entry in state.items():
        if key not in owners or not isinstance(entry, Mapping):
            raise _not_of_a_run(source, 'the state of an optimiser')
        shape = owners[key].shape
        for name, value in entry.items():
            if not isinstance(value, Tensor):
                continue
            if name in _PER_ELEMENT and value.shape != shape:
                raise UserError(
                    f'{source}: the {name} of its optimiser has the shape '
                    f'{tuple(value.shape)} for a tensor of {tuple(shape)}',
                    _HINT,
                )
            if value.is_floating_point() and not bool(torch.isfinite(value).all()):
                raise UserError(
                    f'{source} has NaN or infinity in the {name} of its optimiser',
                    'Take an earlier one.',
                )


def _not_of_a_run(source: str, missing: str) -> UserError:
    return UserError(
        f'{source} cannot be resumed: it has not {missing}',
        'Only checkpoints of a run can be; start from its weights with load_from.',
    )
