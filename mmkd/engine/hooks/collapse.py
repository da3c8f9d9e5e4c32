"""Detect representation collapse in a pre-training."""

from collections import deque
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from mmkd.engine.trained_model import student_of, unwrap
from mmkd.errors import UserError
from mmkd.models.memory import gather_rows
from mmkd.models.metrics import effective_rank, feature_std
from mmkd.registry import HOOKS


@HOOKS.register_module()
class CollapseHook(Hook):
    """Log how widely the features of the last training clips are spread.

    ``feature_std`` is 1 for directions all over the sphere and 0 once all clips look
    the same (:func:`~mmkd.models.metrics.feature_std`); ``feature_rank`` says how many
    directions are used (:func:`~mmkd.models.metrics.effective_rank`), at most
    ``samples - 1``. Both stand beside the loss. The clips are those of the training
    itself, so nothing is encoded for it: the cost is one average of each map, and a
    singular value decomposition of ``samples`` vectors every ``interval`` iterations.
    Features that are not finite are left out. Without a backbone that gives maps
    ``(N, C, ...)`` nothing is watched. The metrics name their sources.

    Args:
        interval: Iterations between two measurements. Defaults to 50.
        samples: Latest clips of a process that count. Defaults to 256.
        warn_below: ``feature_std`` that is warned of, once. Defaults to 0.05.

    Raises:
        UserError: If a number is too small.

    Example:
        >>> custom_hooks = [
        ...     dict(type='mmkd.CollapseHook', interval=20, samples=512, warn_below=0.1)
        ... ]
    """

    # Before the log line of the iteration is written.
    priority = 'NORMAL'

    def __init__(
        self, interval: int = 50, samples: int = 256, warn_below: float = 0.05
    ) -> None:
        if interval < 1 or samples < 2:
            raise UserError(
                f'CollapseHook: interval {interval}, samples {samples}',
                'Give at least 1 and 2.',
            )
        self.interval, self.samples, self.warn_below = interval, samples, warn_below
        self._latest: deque[Tensor] = deque()
        self._handle: Any = None
        self._warned = False

    def before_train(self, runner: Runner) -> None:
        """Register a forward hook on the trained backbone, if there is one."""
        backbone = getattr(student_of(runner.model), 'backbone', None)
        if not isinstance(backbone, nn.Module):
            runner.logger.info(
                'features are not watched: '
                f'{type(unwrap(runner.model)).__name__} has no backbone'
            )
            return
        keep = self._keep
        if backbone._compiled_call_impl is not None:
            # Compiled along, it would be recompiled whenever more clips are held.
            keep = torch.compiler.disable(keep)
        self._handle = backbone.register_forward_hook(keep)

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Log the metrics every ``interval`` iterations."""
        if not self.every_n_train_iters(runner, self.interval) or not self._latest:
            return
        own = torch.cat(list(self._latest))[-self.samples :].float()
        features = gather_rows(own)
        features = features[features.isfinite().all(dim=1)]
        if len(features) < 2:
            return
        spread, rank = feature_std(features), effective_rank(features.cpu())
        runner.message_hub.update_scalar('train/feature_std', spread)
        runner.message_hub.update_scalar('train/feature_rank', rank)
        if spread < self.warn_below and not self._warned:
            self._warned = True
            runner.logger.warning(
                f'the features have nearly collapsed: feature_std {spread:.4f}, '
                f'feature_rank {rank:.1f} at iteration {runner.iter + 1}'
            )

    def after_train(self, runner: Runner) -> None:
        """Remove the forward hook."""
        if self._handle is not None:
            self._handle.remove()
        self._latest.clear()

    def _keep(self, module: nn.Module, inputs: Any, output: Any) -> None:
        if not module.training:
            return
        last = output[-1] if isinstance(output, (tuple, list)) else output
        if not isinstance(last, Tensor) or last.ndim < 2:
            return
        maps = last.detach()  # of frames or of clips
        self._latest.append(maps.flatten(2).mean(2) if maps.ndim > 2 else maps)
        while sum(map(len, self._latest)) - len(self._latest[0]) >= self.samples:
            self._latest.popleft()
