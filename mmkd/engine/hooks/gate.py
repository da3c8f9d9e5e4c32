"""Warn when a task does not learn more than chance."""

from collections.abc import Mapping
from math import ceil
from typing import Any

import torch
from mmengine import dist
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from torch import Tensor, nn

from mmkd.engine.gates import Gate, gated_metrics, is_state
from mmkd.engine.preflight.method import Finding, RunLength, examine_method
from mmkd.engine.sample_lists import number_of_videos
from mmkd.engine.trained_model import student_of
from mmkd.errors import UserError
from mmkd.models import Pretrainer
from mmkd.models.label_classes import check_classes
from mmkd.models.memory import FeatureQueue
from mmkd.registry import HOOKS

KEY = 'gates'

# What to look at where no number of the config is wrong, by the task's type.
_HINTS = {
    'SimilarityDistill': 'more steps, a momentum nearer to 0.99 or another rate',
    'InstanceContrast': 'more steps, a shorter queue or another rate',
    'MemoryContrast': 'more steps, fewer negatives or another rate',
    'PaceContrast': 'a larger batch, a lower temperature or more steps',
    'ParsingDistill': 'more steps, another rate, or whether the maps fit the videos',
}
_HINT = 'more steps, another rate, or whether the videos show what the task asks'


@HOOKS.register_module()
class GateHook(Hook):
    """Check before a pre-training whether it can learn, and warn when it does not.

    Before anything else it compares the heads of the tasks with the labels of the
    sampler: another number of classes is an error. Then it computes what decides
    (:func:`~mmkd.engine.preflight.method.examine_method`): the share of its start that
    the EMA of a momentum encoder keeps, queues and negatives beside the number of
    videos, and the steps. In training each task's metric is compared with the level of
    a network that ignores the clip: ``gain`` with 0, ``acc`` with ``chance``. A gate
    that is closed after ``patience`` steps, or at the end of a shorter run, is warned
    of once, with the likely reason. A resumed run goes on with the gates of its
    checkpoint. Without a :class:`~mmkd.models.Pretrainer` only the steps are shown.

    Args:
        patience: Steps after which a closed gate is warned of. Defaults to 1000.
        smooth: Steps that a metric is averaged over. Defaults to 100.
        interval: Steps between two looks at the averages. Defaults to 20.

    Raises:
        UserError: If a number is too small.

    Example:
        >>> custom_hooks = [dict(type='mmkd.GateHook', patience=3000, smooth=200)]
    """

    priority = 'NORMAL'

    def __init__(
        self, patience: int = 1000, smooth: int = 100, interval: int = 20
    ) -> None:
        if patience < 1 or smooth < 2 or interval < 1:
            raise UserError(
                f'GateHook: patience {patience}, smooth {smooth}, interval {interval}',
                'Give at least 1, 2 and 1.',
            )
        self.patience, self.smooth, self.interval = patience, smooth, interval
        self.gates: dict[str, Gate] = {}
        self._levels: dict[str, str | None] | None = None
        self._pending: list[dict[str, Tensor]] = []
        self._resumed: Mapping[str, Any] = {}
        self._findings: list[Finding] = []
        self._warm_up: dict[str, int] = {}

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Load the gates of the run to resume; without any they start closed."""
        if not runner._resume:
            return
        gates = checkpoint.get(KEY) or {}
        if not isinstance(gates, Mapping) or not all(map(is_state, gates.values())):
            raise UserError(
                f'the run cannot be resumed: its {KEY!r} is of no form that GateHook '
                'writes',
                'Take another checkpoint, or start from its weights with load_from.',
            )
        self._resumed = gates

    def before_run(self, runner: Runner) -> None:
        """Compare the heads of the tasks with the labels of the training's sampler."""
        if isinstance(runner._train_loop, BaseLoop):
            check_classes(runner.model, runner.train_dataloader.dataset)

    def before_train(self, runner: Runner) -> None:
        """Log the numbers that decide whether the method can learn."""
        self._warm_up = _warm_up(runner)
        length = run_length(runner)
        if length is None:
            return
        runner.logger.info(f'to train: {length}')
        self._findings = examine_method(runner.cfg, length)
        for finding in self._findings:
            say = runner.logger.warning if finding.wrong else runner.logger.info
            say(str(finding))

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Update the gates with the metrics of a step, and check them now and then."""
        outputs, step = outputs or {}, runner.iter + 1
        if self._levels is None:
            self._levels = self._begin(outputs)
        names = [
            name
            for pair in self._levels.items()
            if step > self._warm_up.get(pair[0].rpartition('/')[0], 0)
            for name in pair
            if name in outputs
        ]
        if names:
            # Fetched together, so that a step need not wait for the device.
            self._pending.append({name: outputs[name] for name in names})
        if self.every_n_train_iters(runner, self.interval):
            self._look(runner, step)
            if step >= self.patience:
                self._warn(runner, step)

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Put the gates into the checkpoint."""
        self._take()
        if self.gates:
            checkpoint[KEY] = {name: gate.state() for name, gate in self.gates.items()}

    def after_train(self, runner: Runner) -> None:
        """Log the final state of the gates."""
        self._look(runner, runner.iter)
        if not self.gates:
            return
        self._warn(runner, runner.iter)
        texts = []
        for gate in self.gates.values():
            state = f'open since step {gate.opened_at}' if gate.is_open else 'closed'
            unknown = f'{gate.name}: too few steps to tell'
            texts.append(f'{gate}, {state}' if gate.is_full else unknown)
        runner.logger.info(f'gates after {runner.iter:,} steps: {"; ".join(texts)}')

    def _begin(self, outputs: Mapping[str, Any]) -> dict[str, str | None]:
        levels = gated_metrics(outputs)
        for name in levels:
            gate = self.gates[name] = Gate(name, self.smooth)
            if name in self._resumed:
                gate.load(self._resumed[name])
        return levels

    def _take(self) -> None:
        """Pass the pending scalars to the gates, in the order of the steps."""
        if not self._pending:
            return
        scalars = [torch.as_tensor(v) for kept in self._pending for v in kept.values()]
        numbers = iter(torch.stack([s.float() for s in scalars]).tolist())
        for kept in self._pending:
            values = {name: next(numbers) for name in kept}
            for name, level in (self._levels or {}).items():
                if name in values:
                    self.gates[name].add(values[name], values[level] if level else 0.0)
        self._pending.clear()

    def _look(self, runner: Runner, step: int) -> None:
        self._take()
        for gate in self.gates.values():
            if not gate.update(step):
                continue
            if gate.is_open:
                runner.logger.info(f'gate open at step {step:,}: {gate}')
            else:
                runner.logger.warning(
                    f'gate closed again at step {step:,}: {gate}. What was learned is '
                    'lost: look at the loss and at feature_std'
                )

    def _warn(self, runner: Runner, step: int) -> None:
        for gate in self.gates.values():
            if not gate.is_full or gate.warned or gate.opened_at is not None:
                continue
            gate.warned = True
            runner.logger.warning(
                f'nothing learned after {step:,} steps: {gate} over the last '
                f'{self.smooth} steps. {self._reason(runner, gate.name)}'
            )

    def _reason(self, runner: Runner, name: str) -> str:
        """Name what is likely wrong, and the option to change."""
        task = name.rpartition('/')[0].rpartition('/')[2]
        module = tasks_of(runner).get(task)
        teacher = getattr(module, 'teacher', None)
        ends = (f'tasks.{task}', f'teachers.{teacher}')
        causes = [
            f'{f.part}: {f.text}. {f.hint}'
            for f in self._findings
            if f.wrong and f.part.endswith(ends)
        ]
        if causes:
            return 'Likely: ' + ' '.join(causes)
        return f'Try {_HINTS.get(type(module).__name__, _HINT)}'


def tasks_of(runner: Runner) -> dict[str, nn.Module]:
    """Return the tasks of the Pretrainer that is trained; none without one."""
    model = student_of(runner.model)
    return dict(model.tasks.items()) if isinstance(model, Pretrainer) else {}


def run_length(runner: Runner) -> RunLength | None:
    """Return the steps of a run; None where its list cannot be counted."""
    dataset = runner.train_dataloader.dataset
    if not isinstance(runner.cfg.get('train_dataloader'), Mapping):
        return None
    try:
        videos = number_of_videos(dataset)
    except UserError:  # several lists: an index does not stand for one video
        videos = len(dataset)
    except TypeError:
        return None
    return RunLength.of(runner.cfg, len(dataset), videos, dist.get_world_size())


def _warm_up(runner: Runner) -> dict[str, int]:
    """Return the steps until a task's queue holds no random key any more.

    Against random keys the own one is the nearest, whatever was learned.
    """
    samples = (runner.train_dataloader.batch_size or 1) * dist.get_world_size()
    found = {}
    for name, task in tasks_of(runner).items():
        sizes = [m.size for m in task.modules() if isinstance(m, FeatureQueue)]
        found[name] = ceil(max(sizes, default=0) / samples)
    return found
