"""Save the state of the dataloader, and resume in the middle of an epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine import dist
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from mmkd.engine.console import warn
from mmkd.engine.loops import ResumableEpochLoop, ResumableIterLoop, sampler_of
from mmkd.engine.sample_lists import list_change, list_digest
from mmkd.engine.trained_model import unwrap
from mmkd.errors import UserError
from mmkd.models.memory import MemoryBank
from mmkd.registry import HOOKS

KEY = 'resume_place'
# What positions are counted in: the list, and the clips of a step.
DATA = 'training_data'
# What BatchNorm measured on the other processes, in the model and in its average.
STATISTICS = 'statistics_of_ranks'
_AVERAGE = 'average.'
_PASSES = 10**6  # passes over the list that a run may have beyond its steps


# The second name is the one of before; it goes with 0.2.
@HOOKS.register_module(name=['DataloaderStateHook', 'ResumePlaceHook'])
class DataloaderStateHook(Hook):
    """Save the position in the epoch into checkpoints, and resume from there.

    MMEngine restarts an epoch that was saved in its middle. Here the batches that
    were seen are left out, without reading them. It needs the loop and the sampler that
    ``tools/train.py`` builds; with others the epoch restarts, and a warning says so.
    So it is where the list of samples (its length, order or content) or the number of
    clips in a step changed since: a digest of the list is kept in the checkpoint. A
    loop over steps then begins another pass over the list. A memory bank, which has
    one feature for each position in the list, is not resumed with another list.

    Several processes normalise with batches, and so have statistics, of their own until
    MMEngine averages these at the end of an epoch: in its middle all are written.

    Example:
        >>> custom_hooks = [dict(type='mmkd.DataloaderStateHook')]
        >>> default_hooks = dict(checkpoint=dict(by_epoch=False, interval=500))
    """

    # Before ResumeScheduleHook, which goes by the counts that are set back here.
    priority = 'HIGHEST'

    def __init__(self) -> None:
        self._statistics: list[dict[str, Tensor]] = []
        self._digest: dict[str, Any] | None = None

    def before_save_together(self, runner: Runner) -> None:
        """Gather the batch statistics of all processes; to be called on all of them."""
        loop = runner.train_loop
        inside = isinstance(loop, ResumableEpochLoop) and loop.batches_done > 0
        if inside and dist.get_world_size() > 1:
            statistics = batch_statistics(unwrap(runner.model))
            for hook in runner.hooks:
                if isinstance(hook, EMAHook):
                    average = batch_statistics(hook.ema_model.module)
                    statistics |= {_AVERAGE + name: x for name, x in average.items()}
            self._statistics = dist.all_gather_object(statistics)

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Add ``meta['resume_place']`` and ``meta['training_data']``."""
        loop, meta = runner.train_loop, checkpoint['meta']
        if isinstance(loop, ResumableEpochLoop):
            inside = meta.get('epoch') == loop._epoch
            meta[KEY] = {
                'batches_done': loop.batches_done if inside else 0,
                'batches': len(loop.dataloader),
            }
            if inside and self._statistics:
                meta[KEY][STATISTICS] = self._statistics
        elif isinstance(loop, ResumableIterLoop) and sampler_of(loop.dataloader):
            meta[KEY] = dict(
                zip(('passes', 'batches_done'), loop.position(), strict=True)
            )
        self._statistics = []
        meta[DATA] = self._data(runner)

    def _data(self, runner: Runner) -> dict[str, Any]:
        """Describe the list, read once, and the clips of a step."""
        loader = runner.train_loop.dataloader
        if self._digest is None:
            self._digest = list_digest(loader.dataset)
        size = getattr(loader, 'batch_size', None) or 0
        return {**self._digest, 'clips_of_a_step': size * dist.get_world_size()}

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Pass the saved position to the loop."""
        if not runner._resume:
            return
        loop, meta = runner.train_loop, checkpoint.get('meta') or {}
        _check_position(meta)
        before = meta.get(DATA)
        listed = stepped = None
        if before:
            now = self._data(runner)
            listed = list_change(before, now)
            clips = before['clips_of_a_step'], now['clips_of_a_step']
            if clips[0] != clips[1]:
                stepped = f'a step has {clips[1]} clips, not the {clips[0]} of before'
        if listed:
            _check_banks(runner, listed)
        changed = ' and '.join(filter(None, (listed, stepped)))
        position = meta.get(KEY) or {}
        if isinstance(loop, ResumableIterLoop) and sampler_of(loop.dataloader):
            self._resume_steps(loop, meta['iter'], position, changed)
        elif position.get('batches_done'):
            self._resume_epoch(runner, checkpoint, position, changed)
        elif listed:
            warn(f'{listed}; the run to resume goes on with it')

    def _resume_epoch(
        self,
        runner: Runner,
        checkpoint: dict[str, Any],
        position: dict[str, Any],
        changed: str,
    ) -> None:
        """Resume in the middle of an epoch, or restart it."""
        loop, done, then = (
            runner.train_loop,
            position['batches_done'],
            position.get('batches'),
        )
        fits = isinstance(loop, ResumableEpochLoop) and sampler_of(loop.dataloader)
        # Nothing of the epoch is left but what follows its last step.
        ended = fits and done == then
        if fits and not ended and not changed and len(loop.dataloader) != then:
            changed = f'an epoch now has {len(loop.dataloader)}'
        if ended or (fits and not changed):
            loop.batches_done = len(loop.dataloader) if ended else done
            statistics = position.get(STATISTICS, [])
            # Those of this process, if there are as many as then.
            if len(statistics) == dist.get_world_size():
                _restore_statistics(checkpoint, statistics[dist.get_rank()])
            if changed:
                warn(f'{changed}; the run to resume goes on with it')
            return
        warn(
            f'the run to resume stopped after {done} of '
            f'{position.get("batches", "?")} batches of an epoch; that epoch starts '
            f'again, because {changed or "its sampler cannot begin in the middle"}'
        )
        # Counts of steps and of epochs are to agree again.
        checkpoint['meta']['iter'] -= done
        position['batches_done'] = 0

    def _resume_steps(
        self,
        loop: ResumableIterLoop,
        steps: int,
        position: dict[str, Any],
        changed: str,
    ) -> None:
        """Go on in the pass over the list, or begin another one."""
        if 'passes' not in position:
            return
        loop.start = position['passes'], position['batches_done']
        if changed:
            # Another number than any pass before, so that no draw is repeated.
            loop.start = position['passes'] + 1, 0
            warn(
                f'the run to resume stopped after {steps} steps, in the middle of a '
                f'pass over the list; another pass begins, because {changed}'
            )


def batches_done(meta: dict[str, Any]) -> tuple[int, bool]:
    """Return how many batches of the present epoch are done, and whether all are."""
    position = meta.get(KEY) or {}
    done = int(position.get('batches_done', 0))
    return done, done > 0 and done == position.get('batches')


def _check_position(meta: Mapping[str, Any]) -> None:
    """Refuse an invalid position: a checkpoint may be from anyone."""
    position, data = meta.get(KEY), meta.get(DATA)
    wrong = ''
    if not (position is None or _is_position(position, meta.get('iter', 0))):
        wrong = f'{KEY}, its position in the epoch,'
    elif not (data is None or _is_digest(data)):
        wrong = f'{DATA}, its digest of the list,'
    if wrong:
        raise UserError(
            f'the run cannot be resumed: {wrong} is of no form that this release '
            'writes',
            'Take another checkpoint of the run, or start from its weights with '
            'load_from.',
        )


def _is_position(position: Any, steps: int) -> bool:
    if not isinstance(position, Mapping):
        return False
    statistics = position.get(STATISTICS, [])
    # A loop over steps writes both, one over epochs the first.
    names = ('batches_done', 'passes') if 'passes' in position else ('batches_done',)
    counts = [position.get(name) for name in names]
    # Each resume with another list begins another pass.
    most = (steps, steps + _PASSES)
    return (
        all(
            type(count) is int and 0 <= count <= largest
            for count, largest in zip(counts, most, strict=False)
        )
        and isinstance(statistics, Sequence)
        and all(isinstance(own, Mapping) for own in statistics)
        and all(isinstance(x, Tensor) for own in statistics for x in own.values())
    )


def _is_digest(data: Any) -> bool:
    return (
        isinstance(data, Mapping)
        and all(type(data.get(key)) is int for key in ('samples', 'clips_of_a_step'))
        and all(isinstance(data.get(key), str) for key in ('order', 'content'))
    )


def _check_banks(runner: Runner, change: str) -> None:
    if any(isinstance(one, MemoryBank) for one in runner.model.modules()):
        raise UserError(
            f'the run cannot be resumed: {change}, and the features of its memory '
            'bank belong to positions in the list',
            'Resume with the list of before, or start with load_from, which leaves '
            'the bank out.',
        )


def _restore_statistics(checkpoint: dict[str, Any], own: dict[str, Tensor]) -> None:
    """Put the batch statistics of this process into a checkpoint that was read."""
    # EMAHook stores its average as the model, and the model as its average.
    average = checkpoint.get('ema_state_dict')
    for name, value in own.items():
        state, key = checkpoint['state_dict'], name.removeprefix(_AVERAGE)
        if average is None and name.startswith(_AVERAGE):
            continue
        if average is not None and not name.startswith(_AVERAGE):
            state, key = average, f'module.{name}'
        if key in state:
            state[key] = value


def batch_statistics(model: nn.Module) -> dict[str, Tensor]:
    """Return copies of the running statistics of all BatchNorms, by name."""
    statistics = {
        id(value)
        for module in model.modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm)
        for value in module.buffers(recurse=False)
    }
    return {
        name: value.detach().cpu().clone()
        for name, value in model.state_dict(keep_vars=True).items()
        if id(value) in statistics
    }
