"""Stop on NaN and Inf losses or gradients; warn about constant losses."""

import math
from typing import Any, NoReturn

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import Tensor, nn

from mmkd.engine.agreement import Agreement
from mmkd.engine.loops import (
    ResumableEpochLoop,
    ResumableIterLoop,
    StepLeftOut,
    sampler_of,
)
from mmkd.engine.trained_model import unwrap
from mmkd.errors import UserError
from mmkd.registry import HOOKS

_LOOPS = (ResumableEpochLoop, ResumableIterLoop)


@HOOKS.register_module()
class NonFiniteHook(Hook):
    """Keep NaN and infinity out of the weights, and warn of a loss that is constant.

    The loss is looked at before the gradient is computed, and the gradient, clipped if
    it is to be, before it is used (but not under a loss scaler, which does so itself).
    By default the run then stops and names the losses and the videos of the batch, with
    the last checkpoint and the weights untouched. It listens with PyTorch's own hooks:
    one of the model's forward pass, one before the optimiser's step.

    With ``max_skips`` such a step is left out instead: nothing is learnt from it, and
    what the forward pass wrote into buffers (batch statistics, queues, banks) is taken
    back, for which they are copied before each step. With several processes, all leave
    out the same step. This takes the training loops of mmkd, which its runner uses.

    A loss that has been the same for ``constant_steps`` steps, to a millionth, tells
    that the features have collapsed or that nothing is trained; a warning names it,
    once.

    Args:
        max_skips: Steps of a run that may be left out. Defaults to 0: stop at once.
        constant_steps: Steps after which a constant loss is warned of; 0 never does.
            Defaults to 100.

    Raises:
        UserError: If an argument is negative. When training begins, if steps may be
            left out and the loop is not one of mmkd's.

    Example:
        >>> custom_hooks = [dict(type='mmkd.NonFiniteHook', max_skips=10)]
    """

    priority = 'LOW'

    def __init__(self, max_skips: int = 0, constant_steps: int = 100) -> None:
        if max_skips < 0 or constant_steps < 0:
            raise UserError(
                f'NonFiniteHook: max_skips {max_skips}, constant_steps '
                f'{constant_steps}',
                'Give 0 or more.',
            )
        self.max_skips, self.constant_steps = max_skips, constant_steps
        self.skipped = 0

    def before_train(self, runner: Runner) -> None:
        """Register checks of the loss and of the gradient."""
        if self.max_skips and not isinstance(runner.train_loop, _LOOPS):
            raise UserError(
                f'NonFiniteHook: max_skips {self.max_skips} with the training loop '
                f'{type(runner.train_loop).__name__}, which cannot leave out a step',
                'Train with tools/train.py (mim train mmkd) and one of the two usual '
                'loops, or leave max_skips out.',
            )
        self.runner, self.skipped = runner, 0
        self._warned: set[str] = set()
        self._losses: dict[str, Any] = {}
        self._buffers: list[Tensor] = []
        self._agreement = Agreement() if self.max_skips else None
        model, wrapper = unwrap(runner.model), runner.optim_wrapper
        # Behind the other hooks that add losses to the output.
        check = model.register_forward_hook(self._check_loss, with_kwargs=True)
        self._handles: list[Any] = [check]
        scaler = getattr(wrapper, 'loss_scaler', None)
        scaled = scaler is not None and scaler.is_enabled()
        if not scaled and hasattr(wrapper, 'optimizer'):
            optimizer = wrapper.optimizer
            self._handles.append(optimizer.register_step_pre_hook(self._check_gradient))

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Keep the batch for messages; copy the buffers if steps may be undone."""
        self._index, self._batch = batch_idx, data_batch
        if self.max_skips:
            self._buffers = [b.clone() for b in _buffers(unwrap(runner.model))]

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Warn of losses that do not change."""
        self._batch = None
        steps = self.constant_steps
        if not steps or (runner.iter + 1) % steps:
            return
        for name, buffer in runner.message_hub.log_scalars.items():
            if not name.startswith('train/') or 'loss' not in name:
                continue
            last = np.asarray(buffer.data[0][-steps:])
            constant = len(last) == steps and np.ptp(last) <= 1e-6 * abs(last[-1])
            if constant and name not in self._warned:
                self._warned.add(name)
                runner.logger.warning(
                    f'{name.removeprefix("train/")} has been {last[-1]:.6g} for '
                    f'{steps} steps: its features have collapsed, or nothing that it '
                    'depends on is trained'
                )

    def after_train(self, runner: Runner) -> None:
        """Remove the checks from model and optimizer."""
        for handle in self._handles:
            handle.remove()

    def _check_loss(
        self, model: Any, args: Any, kwargs: dict[str, Any], losses: Any
    ) -> None:
        if kwargs.get('mode') != 'loss' or not model.training:
            return
        with torch.no_grad():
            total, self._losses = model.parse_losses(losses)
        wrong = not math.isfinite(float(total))
        if wrong and not self.max_skips:
            self._refuse('the loss')
        if self._agreement is not None and self._agreement.largest(int(wrong)):
            self._skip('the loss')

    def _check_gradient(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        groups = optimizer.param_groups
        given = [p.grad for g in groups for p in g['params'] if p.grad is not None]
        norms = torch._foreach_norm(given)
        finite = not norms or bool(torch.stack(norms).isfinite().all())
        # DistributedDataParallel has made it the same on all processes.
        if finite and self._norm_is_finite():
            return
        if not self.max_skips:
            self._refuse('the gradient')
        self.runner.optim_wrapper.zero_grad()
        self._skip('the gradient')

    def _norm_is_finite(self) -> bool:
        """Check the norm before clipping, which turns infinite gradients into zeros."""
        wrapper = self.runner.optim_wrapper
        clips = getattr(wrapper, 'clip_grad_kwargs', None)
        name = f'train/{getattr(wrapper, "grad_name", "grad_norm")}'
        norms = self.runner.message_hub.log_scalars.get(name)
        return not clips or norms is None or math.isfinite(norms.current())

    def _skip(self, subject: str) -> NoReturn:
        self.skipped += 1
        if self.skipped > self.max_skips:
            self._refuse(subject, f'; {self.skipped} such steps')
        own = _buffers(unwrap(self.runner.model))
        for buffer, old in zip(own, self._buffers, strict=True):
            buffer.copy_(old)
        self.runner.logger.warning(
            f'{self._describe(subject)}; step left out ({self.skipped} of at most '
            f'{self.max_skips})'
        )
        raise StepLeftOut

    def _refuse(self, subject: str, times: str = '') -> NoReturn:
        raise UserError(
            self._describe(subject) + times,
            'Look at these videos, or lower the learning rate; the last checkpoint is '
            'as it was. NonFiniteHook(max_skips=N) leaves out up to N such steps.',
        )

    def _describe(self, subject: str) -> str:
        runner = self.runner
        parts = {
            name: float(value)
            for name, value in self._losses.items()
            if 'loss' in name and not math.isfinite(float(value))
        }
        named = ''.join(f', {name} {value}' for name, value in parts.items())
        videos = ', '.join(self._videos()) or 'not known'
        return (
            f'{subject} is not finite in epoch {runner.epoch + 1}, '
            f'step {runner.iter + 1}{named}; videos of the batch: {videos}'
        )

    def _videos(self) -> list[str]:
        """Return the videos of the batch, from its samples or else from its index."""
        batch = self._batch if isinstance(self._batch, dict) else {}
        samples = batch.get('data_samples') or []
        names = [s.get('filename') for s in samples if hasattr(s, 'metainfo')]
        if names and all(names):
            return [str(name) for name in names]
        loader = self.runner.train_dataloader
        sampler = sampler_of(loader)
        if sampler is None or not hasattr(loader.dataset, 'get_data_info'):
            return []
        number = loader.batch_size or 0
        by_epoch = isinstance(self.runner.train_loop, EpochBasedTrainLoop)
        index = self._index
        if not by_epoch and not sampler.is_infinite:
            index %= len(loader)
        infos = map(loader.dataset.get_data_info, sampler.drawn(index * number, number))
        return [str(info.get('filename', info.get('sample_idx'))) for info in infos]


def _buffers(model: nn.Module) -> list[Tensor]:
    """Return the buffers that hold measurements; counters may go on."""
    return [b for b in model.buffers() if b.is_floating_point()]
