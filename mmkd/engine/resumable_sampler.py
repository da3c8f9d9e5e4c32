"""Provide a sampler that starts at any position and gives each index a seed."""

from collections.abc import Iterator, Sized
from itertools import islice
from typing import Any

from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_dist_info
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

from mmkd.datasets.seeded_dataset import Draw
from mmkd.seeding import seed_for


class ResumableSampler(Sampler[int]):
    """Wrap a sampler so that it starts at a position, with a seed for each index.

    The seed is computed from that of the run, the epoch, and the position of the draw
    among those of all processes.

    Args:
        dataset: Data set, for the other sampler.
        sampler: Config of the other sampler.
        seed: Seed for the other sampler. Defaults to None: one of its own.
    """

    def __init__(
        self, dataset: Sized, sampler: dict[str, Any], seed: int | None = None
    ) -> None:
        given = {'dataset': dataset, 'seed': seed}
        self.sampler = DATA_SAMPLERS.build(sampler, default_args=given)
        self.rank, self.world_size = get_dist_info()
        self._seed, self._epoch, self._skipped = seed or 0, 0, 0

    @property
    def is_infinite(self) -> bool:
        """Whether the sampler is infinite, so that there are no epochs."""
        return isinstance(self.sampler, InfiniteSampler)

    def begin(self, seed: int, epoch: int, skipped: int = 0) -> None:
        """Set where the next iteration starts.

        Args:
            seed: Seed of the run, the same on all processes.
            epoch: Epoch, counted from 0.
            skipped: Indices of that epoch, on this process, that were drawn before.
        """
        self._seed, self._skipped = seed, skipped
        self.set_epoch(epoch)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, counted from 0."""
        self._epoch = epoch
        if hasattr(self.sampler, 'set_epoch'):
            self.sampler.set_epoch(epoch)

    def drawn(self, first: int, number: int) -> list[int]:
        """Return indices of the present epoch again."""
        return list(islice(self._from_start(), first, first + number))

    def __iter__(self) -> Iterator[int]:
        first, self._skipped = self._skipped, 0
        seed, epoch = self._seed, self._epoch
        for position, index in enumerate(
            islice(self._from_start(), first, None), first
        ):
            number = position * self.world_size + self.rank
            yield Draw(index, seed_for(seed, 'sample', epoch, number))

    def __len__(self) -> int:
        return len(self.sampler)

    def _from_start(self) -> Iterator[int]:
        if hasattr(self.sampler, 'seed'):
            # That of the run to resume is known only after the sampler was built.
            self.sampler.seed = self._seed
        if isinstance(self.sampler, InfiniteSampler):
            # It holds one generator for good, which goes on where it was left.
            self.sampler.indices = self.sampler._indices_of_rank()
        return iter(self.sampler)
