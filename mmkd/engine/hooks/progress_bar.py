"""Show a progress bar for training on interactive terminals."""

import atexit
import logging
import sys
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from mmkd.registry import HOOKS


@HOOKS.register_module()
class ProgressBarHook(Hook):
    """Show epoch, loss and remaining time under the log lines of a terminal.

    Where standard output is no terminal (a log file, a batch job), and on all processes
    but the first, it does nothing.

    Example:
        >>> custom_hooks = [dict(type='mmkd.ProgressBarHook')]
    """

    priority = 'LOWEST'

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._handlers: list[tuple[logging.StreamHandler[Any], Any]] = []

    def before_train_epoch(self, runner: Runner) -> None:
        """Open the bar of this epoch."""
        if not (sys.stdout.isatty() and is_main_process()):
            return
        bar = Progress(
            TextColumn('{task.description}'),
            BarColumn(),
            TextColumn('{task.completed}/{task.total} {task.fields[loss]}'),
            TimeRemainingColumn(),
            console=Console(),
            transient=True,
        )
        loop = runner.train_loop
        by_epoch = isinstance(loop, EpochBasedTrainLoop)
        name = f'epoch {runner.epoch + 1}/{runner.max_epochs}' if by_epoch else 'train'
        total = len(runner.train_dataloader) if by_epoch else runner.max_iters
        done = 0 if by_epoch else runner.iter
        bar.start()
        bar.add_task(name, total=total, completed=done, loss='')
        self._progress = bar
        self._redirect(runner.logger)
        # A run that ends in an error must not leave the terminal without a cursor.
        atexit.register(self._close)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Advance the bar by one."""
        if self._progress is not None:
            # A number already; asking the tensor would wait for the GPU once more.
            known = runner.message_hub.log_scalars.get('train/loss')
            loss = f'loss {known.current():.4f}' if known else ''
            self._progress.update(self._progress.task_ids[0], advance=1, loss=loss)

    def after_train_epoch(self, runner: Runner) -> None:
        """Close the bar, so that validation and saving write to a clean screen."""
        self._close()

    def _redirect(self, logger: logging.Logger) -> None:
        """Let the log lines pass above the bar: rich took ``sys.stdout`` over."""
        for handler in logger.handlers:
            if type(handler) is logging.StreamHandler:
                self._handlers.append((handler, handler.setStream(sys.stdout)))

    def _close(self) -> None:
        if self._progress is None:
            return
        for handler, stream in self._handlers:
            handler.setStream(stream)
        self._handlers.clear()
        self._progress.stop()
        self._progress = None
        atexit.unregister(self._close)
