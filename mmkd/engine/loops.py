"""Training loops that go on in the middle of an epoch."""

from collections.abc import Callable, Iterator
from typing import Any

from mmengine.runner import (
    BaseLoop,
    EpochBasedTrainLoop,
    IterBasedTrainLoop,
    Runner,
)
from torch.utils.data import BatchSampler, DataLoader

from mmkd.engine.resumable_sampler import ResumableSampler
from mmkd.engine.seeding import seed_everything, seed_for
from mmkd.engine.steady_batches import ReadingGuard, steady_batches


class ResumableEpochLoop(EpochBasedTrainLoop):
    """MMEngine's loop over epochs, which can begin one in its middle.

    Each step starts the random generators anew, see :mod:`mmkd.engine.seeding`.

    Attributes:
        batches_done: Batches of the present epoch that are behind it.
        reading_guard: What to do about videos that loader workers do not survive.
    """

    batches_done: int = 0
    reading_guard: ReadingGuard | None = None

    def run_epoch(self) -> None:
        """Go over what is left of one epoch."""
        runner, seed = self.runner, run_seed(self.runner)
        seed_everything(seed_for(runner.seed, 'epoch', self._epoch))
        runner.call_hook('before_train_epoch')
        runner.model.train()
        begin = beginning(self.dataloader, seed, self._epoch)
        for place, batch in steady_batches(
            self.dataloader, begin, self.batches_done, self.reading_guard
        ):
            self.run_iter(place, batch)
        runner.call_hook('after_train_epoch')
        self._epoch += 1
        self.batches_done = 0

    def run_iter(self, idx: int, data_batch: Any) -> None:
        """Make one step."""
        seed_step(self.runner, self._iter)
        self.batches_done = idx + 1
        super().run_iter(idx, data_batch)


class ResumableIterLoop(IterBasedTrainLoop):
    """MMEngine's loop over iterations, which resumes without reading what it skips.

    Attributes:
        reading_guard: What to do about videos that loader workers do not survive.
    """

    reading_guard: ReadingGuard | None = None

    def __init__(
        self, runner: Runner, dataloader: DataLoader | dict[str, Any], **options: Any
    ) -> None:
        # MMEngine's loop would start workers here, which read unguarded, for nothing.
        BaseLoop.__init__(self, runner, dataloader)
        loader: DataLoader = self.dataloader
        super().__init__(runner, _NotYet(loader), **options)
        self.dataloader: DataLoader = loader
        self._endless: Any = type(self.dataloader_iterator)

    def run(self) -> Any:
        """Train."""
        sampler = sampler_of(self.dataloader)
        if sampler is None:
            self.dataloader_iterator = self._endless(self.dataloader)
        else:
            seed = run_seed(self.runner)
            self.dataloader_iterator = BatchStream(self, sampler, seed, self._iter)
        return super().run()

    def run_iter(self, data_batch: Any) -> None:
        """Make one step."""
        seed_step(self.runner, self._iter)
        super().run_iter(data_batch)


class _NotYet:
    """Stands for a loader where its batches are not wanted yet."""

    def __init__(self, loader: DataLoader) -> None:
        self.dataset = loader.dataset

    def __iter__(self) -> Iterator[Any]:
        return iter(())


class BatchStream:
    """Batches without end, from a given one on.

    MMEngine's loop asks a resumed run for the batches that it has behind it; these are
    empty and cost nothing.

    Args:
        loop: The loop, for its loader and guard.
        sampler: Sampler of the loader.
        seed: Seed of the run.
        start: Number of batches that the run has behind it.
    """

    def __init__(
        self,
        loop: ResumableIterLoop,
        sampler: ResumableSampler,
        seed: int,
        start: int,
    ) -> None:
        self._loop, self._seed, self._skipped = loop, seed, start
        length = start + 1 if sampler.is_infinite else len(loop.dataloader)
        self._epoch, self._done = divmod(start, length)
        # Begun at the first batch: a hook sets the sampler to epoch 0 before.
        self._batches: Iterator[tuple[int, Any]] | None = None

    def __iter__(self) -> 'BatchStream':
        return self

    def __next__(self) -> Any:
        if self._skipped:
            self._skipped -= 1
            return {}
        if self._batches is None:
            self._batches = self._begin()
        try:
            return next(self._batches)[1]
        except StopIteration:
            self._epoch, self._done = self._epoch + 1, 0
            self._batches = self._begin()
            return next(self._batches)[1]

    def _begin(self) -> Iterator[tuple[int, Any]]:
        loader = self._loop.dataloader
        begin = beginning(loader, self._seed, self._epoch)
        return steady_batches(loader, begin, self._done, self._loop.reading_guard)


def run_seed(runner: Runner) -> int:
    """Return the seed of the run, the same on all processes."""
    apart = bool(runner._randomness_cfg.get('diff_rank_seed'))
    return int(runner.seed) - (runner.rank if apart else 0)


def seed_step(runner: Runner, step: int) -> None:
    """Start the random generators of a step; equal on all processes, unless told else.

    Args:
        runner: Whose ``seed`` differs between processes with ``diff_rank_seed`` only.
        step: Steps that the run has behind it.
    """
    seed_everything(seed_for(runner.seed, 'step', step))


def beginning(
    dataloader: DataLoader, seed: int, epoch: int
) -> Callable[[int], None] | None:
    """Return what makes a loader begin an epoch at a batch; None if it cannot.

    Args:
        dataloader: Loader.
        seed: Seed of the run.
        epoch: Epoch, counted from 0.
    """
    sampler = sampler_of(dataloader)
    if sampler is None:
        return None
    size = dataloader.batch_size or 0
    return lambda place: sampler.begin(seed, epoch, place * size)


def sampler_of(dataloader: DataLoader) -> ResumableSampler | None:
    """Return the sampler of a loader, if it can begin anywhere.

    Behind batches of a kind of their own, a number of batches says nothing of a number
    of samples.
    """
    batches = dataloader.batch_sampler
    sampler = batches.sampler if type(batches) is BatchSampler else None
    return sampler if isinstance(sampler, ResumableSampler) else None
