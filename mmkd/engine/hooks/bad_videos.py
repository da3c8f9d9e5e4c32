"""Keep training although a few videos cannot be read."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine import dist
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmkd.datasets.bad_videos import CHECK, CRASHED, LATE, REPLACED, Marks, guard
from mmkd.engine.fault_tolerant_loader import ReadingGuard
from mmkd.engine.loops import ResumableEpochLoop, ResumableIterLoop, sampler_of
from mmkd.errors import UserError
from mmkd.files import write_text
from mmkd.registry import HOOKS

FILE_NAME = 'bad_videos.txt'

# Steps between two looks at what other processes have found.
_EXCHANGE = 50


@HOOKS.register_module()
class BadVideosHook(Hook):
    """Replace videos that cannot be read by others of the list, and keep count.

    In training a bad video makes room for another one of the list, drawn with the seed
    of the sample, so that a resumed run, or one with more workers, draws the same. Each
    is named once, in the log and in ``bad_videos.txt`` of the work folder. Training
    stops once more of the list is bad than ``max_share``, or ``max_in_a_row`` of them
    follow each other.

    The same applies to videos that crash or hang a loader worker: the worker that
    crashed, or was ended after ``time_limit``, is restarted.

    In validation and test a bad video is an error that names it: results of fewer
    videos could not be compared.

    It sees to MMAction2's ``VideoDataset`` and those built on it, also inside of
    ``RepeatDataset`` and the like. Which videos are bad, and what a decoder that does
    not come back costs, is in ``docs/reliability.md``.

    Args:
        max_share: Share of the list that may be bad, 0 to 1, rounded up to videos.
            Defaults to 0.05; 0 makes every bad video an error.
        max_in_a_row: So many bad videos one after the other stop the run. Defaults
            to 10.
        time_limit: Seconds that opening and decoding one video may take. 0: for ever.
            Defaults to 60.

    Raises:
        UserError: If an argument is out of range.

    Example:
        >>> custom_hooks = [
        ...     dict(type='mmkd.BadVideosHook', max_share=0.01, time_limit=20)
        ... ]
        >>> custom_hooks = [dict(type='mmkd.BadVideosHook', max_share=0)]
    """

    priority = 'HIGH'

    def __init__(
        self, max_share: float = 0.05, max_in_a_row: int = 10, time_limit: float = 60
    ) -> None:
        if not (0 <= max_share <= 1 and max_in_a_row >= 1 and time_limit >= 0):
            raise UserError(
                f'BadVideosHook: max_share {max_share}, max_in_a_row {max_in_a_row}, '
                f'time_limit {time_limit}',
                'Give a share from 0 to 1, 1 or more in a row, 0 seconds or more.',
            )
        self.max_share, self.max_in_a_row = max_share, max_in_a_row
        self.time_limit = time_limit
        self.replaced = 0

    def before_train(self, runner: Runner) -> None:
        """Guard the training set, and read what an earlier part of the run found."""
        self._path = Path(runner.work_dir) / FILE_NAME
        self.found = read_bad_videos(self._path) if runner._resume else {}
        if not runner._resume and dist.is_main_process():
            self._path.unlink(missing_ok=True)
        self._new: dict[str, str] = {}
        self._hung = _not_again(self.found)
        self.replaced = self._reported = self._lost_in_a_row = 0
        guarded = guard(
            runner.train_dataloader.dataset,
            replace=self.max_share > 0,
            time_limit=self.time_limit,
            max_in_a_row=self.max_in_a_row,
            hung=self._hung,
            marks=self._watch_workers(runner),
        )
        self.listed = sum(map(len, guarded))

    def before_val(self, runner: Runner) -> None:
        """Make errors name the video."""
        guard(runner.val_dataloader.dataset, time_limit=self.time_limit)

    def before_test(self, runner: Runner) -> None:
        """Make errors name the video."""
        guard(runner.test_dataloader.dataset, time_limit=self.time_limit)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Note which videos of the batch were replaced."""
        self._lost_in_a_row = 0
        for videos in _replaced_in(data_batch):
            self.replaced += 1
            self._new |= {k: reason for k, reason in videos if k not in self.found}
        alone = dist.get_world_size() == 1
        if (alone and self._new) or (not alone and runner.iter % _EXCHANGE == 0):
            self._exchange(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Share the bad videos between processes, and log the replaced samples."""
        self._exchange(runner)
        if self.replaced > self._reported:
            runner.logger.info(
                f'bad videos: {len(self.found)} of {self.listed}; '
                f'{self.replaced - self._reported} samples of this epoch were replaced'
            )
            self._reported = self.replaced

    def _watch_workers(self, runner: Runner) -> Marks | None:
        """Let the loop go on when a worker is lost; None if there are no workers."""
        loop, loader = runner.train_loop, runner.train_dataloader
        own = isinstance(loop, (ResumableEpochLoop, ResumableIterLoop))
        if not (own and loader.num_workers and sampler_of(loader)):
            return None
        marks = Marks(loader.num_workers)
        loop.reading_guard = ReadingGuard(marks, self.time_limit, self._exclude)
        return marks

    def _exclude(self, name: str, reason: str) -> None:
        """Record a video that crashed or hung a worker."""
        self._lost_in_a_row += 1
        if self.max_share == 0:
            raise UserError(f'{name} cannot be read ({reason})', CHECK)
        if self._lost_in_a_row >= self.max_in_a_row:
            raise UserError(
                f'{self._lost_in_a_row} workers in a row were lost to videos, the last '
                f'one is {name} ({reason})',
                f'Look at the disk and the decoder. {CHECK}',
            )
        self._hung[name] = reason
        if name not in self.found:
            self._new[name] = reason

    def _exchange(self, runner: Runner) -> None:
        parts, self._new = dist.all_gather_object(self._new), {}
        pairs = [pair for part in parts for pair in part.items()]
        new = {name: reason for name, reason in pairs if name not in self.found}
        if not new:
            return
        self.found.update(new)
        self._hung.update(_not_again(new))
        if dist.is_main_process():
            lines = [f'{name}\t{reason}\n' for name, reason in self.found.items()]
            write_text(self._path, ''.join(lines))
        for name, reason in new.items():
            runner.logger.warning(
                f'{name} cannot be read ({reason}) and is replaced by others of the '
                'list'
            )
        if len(self.found) > math.ceil(self.max_share * self.listed):
            raise UserError(
                f'{len(self.found)} of {self.listed} videos cannot be read, more than '
                f'max_share={self.max_share:g} of the list; the last one is {name} '
                f'({reason})',
                f'See {self._path}. Repair them or take them off the list, which '
                '`python tools/data/check_videos.py LIST` helps with, or set max_share '
                'of BadVideosHook.',
            )


def read_bad_videos(path: Path) -> dict[str, str]:
    """Read ``bad_videos.txt``: file name, tab and reason a line; {} without it."""
    if not path.is_file():
        return {}
    lines = path.read_text(encoding='utf-8', errors='replace').splitlines()
    records = (line.partition('\t') for line in lines)
    return {name: reason for name, tab, reason in records if tab}


def _not_again(found: dict[str, str]) -> dict[str, str]:
    """Return those that cost a worker, or much time, each time they are tried."""
    costly = (LATE, CRASHED)
    return {name: reason for name, reason in found.items() if reason.startswith(costly)}


def _replaced_in(batch: Any) -> Iterator[list[tuple[str, str]]]:
    """Yield, for each sample that is not what was asked for, the bad videos."""
    samples = batch.get('data_samples') if isinstance(batch, dict) else None
    for sample in samples or ():
        if REPLACED in getattr(sample, 'metainfo', ()):
            yield sample.metainfo[REPLACED]
