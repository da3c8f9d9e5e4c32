"""Provide training loops that resume in the middle of an epoch."""

from collections.abc import Callable, Iterator
from typing import Any

from mmengine.runner import (
    BaseLoop,
    EpochBasedTrainLoop,
    IterBasedTrainLoop,
    Runner,
)
from torch.utils.data import BatchSampler, DataLoader

from mmkd.engine.fault_tolerant_loader import ReadingGuard, fault_tolerant_batches
from mmkd.engine.resumable_sampler import ResumableSampler
from mmkd.seeding import seed_everything, seed_for


class StepLeftOut(Exception):
    """Signal from a hook of the model or optimiser that skips the rest of a step.

    The step counts as made: its hooks are called, without outputs.
    """


class ResumableEpochLoop(EpochBasedTrainLoop):
    """MMEngine's loop over epochs, which can begin one in its middle.

    Each step restarts the random generators, see :mod:`mmkd.seeding`.

    Attributes:
        batches_done: Batches of the present epoch that are behind it.
        reading_guard: What to do about videos that loader workers do not survive.
    """

    batches_done: int = 0
    reading_guard: ReadingGuard | None = None

    def run_epoch(self) -> None:
        """Run the rest of one epoch."""
        runner, seed = self.runner, run_seed(self.runner)
        seed_everything(seed_for(runner.seed, 'epoch', self._epoch))
        runner.call_hook('before_train_epoch')
        runner.model.train()
        begin = beginning(self.dataloader, seed, self._epoch)
        for position, batch in fault_tolerant_batches(
            self.dataloader, begin, self.batches_done, self.reading_guard
        ):
            self.run_iter(position, batch)
        runner.call_hook('after_train_epoch')
        self._epoch += 1
        self.batches_done = 0

    def run_iter(self, idx: int, data_batch: Any) -> None:
        """Make one step."""
        seed_step(self.runner, self._iter)
        self.batches_done = idx + 1
        try:
            super().run_iter(idx, data_batch)
        except StepLeftOut:
            _end_step(self, idx, data_batch)


class ResumableIterLoop(IterBasedTrainLoop):
    """MMEngine's loop over iterations, which resumes without reading what it skips.

    Attributes:
        reading_guard: What to do about videos that loader workers do not survive.
        start: Pass over the list, and batches of it that are behind the run; kept up
            to date by it. None: they follow from the number of steps.
    """

    reading_guard: ReadingGuard | None = None
    start: tuple[int, int] | None = None

    def __init__(
        self, runner: Runner, dataloader: DataLoader | dict[str, Any], **options: Any
    ) -> None:
        # MMEngine's loop would start workers here, which read unguarded, for nothing.
        BaseLoop.__init__(self, runner, dataloader)
        loader: DataLoader = self.dataloader
        nothing = _NotYet()
        nothing.dataset = loader.dataset
        super().__init__(runner, nothing, **options)
        self.dataloader: DataLoader = loader
        self._endless: Any = type(self.dataloader_iterator)

    def run(self) -> Any:
        """Run the training."""
        if sampler_of(self.dataloader) is None:
            self.dataloader_iterator = self._endless(self.dataloader)
        else:
            batches = self._batches(self._iter, *self.position())
            self.dataloader_iterator = _Batches(batches)
        return super().run()

    def position(self) -> tuple[int, int]:
        """Return the pass over the list, and the batches of it that were used."""
        sampler = sampler_of(self.dataloader)
        if self.start is not None:
            return self.start
        if sampler is not None and sampler.is_infinite:
            return 0, self._iter
        return divmod(self._iter, len(self.dataloader))

    def _batches(self, skipped: int, epoch: int, done: int) -> Iterator[Any]:
        """Yield batches without end, from a position on, and keep the position.

        MMEngine's loop asks a resumed run for the batches that it has behind it; these
        are empty and cost nothing. A pass is begun at its first batch: a hook sets the
        sampler to epoch 0 before.
        """
        loader, seed = self.dataloader, run_seed(self.runner)
        for _ in range(skipped):
            yield {}
        while True:
            begin = beginning(loader, seed, epoch)
            for number, batch in fault_tolerant_batches(
                loader, begin, done, self.reading_guard
            ):
                self.start = epoch, number + 1
                yield batch
            self.start = epoch, done = epoch + 1, 0

    def run_iter(self, data_batch: Any) -> None:
        """Make one step."""
        seed_step(self.runner, self._iter)
        try:
            super().run_iter(data_batch)
        except StepLeftOut:
            _end_step(self, self._iter, data_batch)


class _Batches:
    """An iterator as the loops of MMEngine and of onedl-mmengine want it."""

    def __init__(self, batches: Iterator[Any]) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._batches)

    def skip_iter(self, count: int) -> None:
        """Pass over batches, as onedl-mmengine's loop asks a resumed run to."""
        for _ in range(count):
            next(self._batches)


def _end_step(
    loop: ResumableEpochLoop | ResumableIterLoop, index: int, batch: Any
) -> None:
    """Run the rest of MMEngine's ``run_iter`` after the step."""
    loop.runner.call_hook(
        'after_train_iter', batch_idx=index, data_batch=batch, outputs=None
    )
    loop._iter += 1


class _NotYet(list[Any]):
    """Placeholder for a loader whose batches are not needed yet."""

    dataset: Any = None


def run_seed(runner: Runner) -> int:
    """Return the seed of the run, the same on all processes."""
    apart = bool(runner._randomness_cfg.get('diff_rank_seed'))
    return int(runner.seed) - (runner.rank if apart else 0)


def seed_step(runner: Runner, step: int) -> None:
    """Seed the random generators of a step, each process differently.

    What the network draws (dropout, stochastic depth) and what mixes the clips of a
    batch is then independent between processes; the first one draws what it would draw
    alone. What has to agree has a generator of its own, or is broadcast.
    """
    rank = ('rank', runner.rank) if runner.rank else ()
    seed_everything(seed_for(runner.seed, 'step', step, *rank))


def beginning(
    dataloader: DataLoader, seed: int, epoch: int
) -> Callable[[int], None] | None:
    """Return what makes a loader begin an epoch at a batch; None if it cannot."""
    sampler = sampler_of(dataloader)
    if sampler is None:
        return None
    size = dataloader.batch_size or 0
    return lambda position: sampler.begin(seed, epoch, position * size)


def sampler_of(dataloader: DataLoader) -> ResumableSampler | None:
    """Return the sampler of a loader, if it can begin anywhere.

    Behind batches of a kind of their own, a number of batches says nothing of a number
    of samples.
    """
    batches = dataloader.batch_sampler
    sampler = batches.sampler if type(batches) is BatchSampler else None
    return sampler if isinstance(sampler, ResumableSampler) else None
