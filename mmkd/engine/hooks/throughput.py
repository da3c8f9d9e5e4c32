"""Log the throughput: clips per second, and time spent waiting for data."""

from collections import deque
from typing import Any

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mmkd.registry import HOOKS


@HOOKS.register_module()
class ThroughputHook(Hook):
    """Log ``clips_per_s`` and ``data_wait`` of the last steps.

    ``clips_per_s`` counts every view of every sample, on all processes together.
    ``data_wait`` is the share, in 0..1, of the time in which the step stood still until
    the loader had its batch: near 0 the network bounds the run, near 1 the loader.

    Both are means over the ``window`` of the log processor, from MMEngine's ``time``
    and ``data_time``; the first step of an epoch, in which the workers start, counts as
    any other.

    Example:
        >>> custom_hooks = [dict(type='mmkd.ThroughputHook')]
        >>> log_processor = dict(window_size=50)
    """

    priority = 'NORMAL'

    def __init__(self) -> None:
        self._clips: deque[int] = deque()

    def before_train(self, runner: Runner) -> None:
        """Forget the batches of an earlier training."""
        self._clips = deque(maxlen=runner.log_processor.window_size)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Write both for the logger, which comes later."""
        scalars = runner.message_hub.log_scalars
        clips = count_clips(data_batch)
        # MMEngine's timer has the same priority and comes first: it is a default hook.
        if not clips or not {'train/time', 'train/data_time'} <= set(scalars):
            return
        window = runner.log_processor.window_size
        self._clips.append(clips)  # the last batch of an epoch may be smaller
        seconds = float(scalars['train/time'].mean(window))
        waited = float(scalars['train/data_time'].mean(window))
        if seconds > 0:
            mean = sum(self._clips) / len(self._clips)
            rate = mean * get_world_size() / seconds
            runner.message_hub.update_scalar('train/clips_per_s', rate)
            runner.message_hub.update_scalar('train/data_wait', waited / seconds)


def count_clips(data_batch: Any) -> int:
    """Return the clips of a batch: views ``M`` of ``N`` samples ``(M, 3, T, H, W)``.

    Args:
        data_batch: ``{'inputs': ...}`` with a list of samples or one tensor
            ``(N, M, 3, T, H, W)``. 0 is returned for anything else.
    """
    inputs = data_batch.get('inputs') if isinstance(data_batch, dict) else None
    if not isinstance(inputs, (list, tuple, Tensor)) or not len(inputs):
        return 0
    first = inputs[0]
    views = first.shape[0] if isinstance(first, Tensor) and first.dim() == 5 else 1
    return len(inputs) * views
