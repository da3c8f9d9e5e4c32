import pickle
from itertools import islice

import pytest

from mmkd.datasets.seeded_dataset import Draw, SeededDataset
from mmkd.engine.resumable_sampler import ResumableSampler


def sampler(
    size: int = 10, kind: str = 'DefaultSampler', **options
) -> ResumableSampler:
    inner = {'type': kind, 'shuffle': True, **options}
    return ResumableSampler(dataset=range(size), sampler=inner, seed=3)


def drawn(one: ResumableSampler, number: int = 10) -> list[tuple[int, int]]:
    return [(int(d), d.seed) for d in islice(one, number) if isinstance(d, Draw)]


def test_an_epoch_is_that_of_the_inner_sampler_with_a_seed_for_each_draw():
    one = sampler()
    one.begin(3, epoch=2)
    one.sampler.seed = 3
    found = drawn(one)
    assert [index for index, _ in found] == list(one.sampler)
    assert sorted(index for index, _ in found) == list(range(10))
    assert len({seed for _, seed in found}) == len(one) == 10


@pytest.mark.parametrize('kind', ['DefaultSampler', 'InfiniteSampler'])
def test_begun_in_the_middle_it_goes_on_as_the_unbroken_one(kind):
    unbroken, resumed = sampler(kind=kind), sampler(kind=kind)
    unbroken.begin(8, epoch=1)
    whole = drawn(unbroken)
    next(iter(resumed))  # what a loader prefetched before the run was resumed
    resumed.begin(8, epoch=1, skipped=4)
    assert drawn(resumed, 6) == whole[4:]
    assert resumed.drawn(4, 6) == [index for index, _ in whole[4:]]


def test_only_the_first_epoch_is_begun_in_the_middle():
    one = sampler()
    one.begin(8, 0, skipped=7)
    assert [len(drawn(one)), len(drawn(one))] == [3, 10]


def test_no_epoch_repeats_the_seeds_of_another():
    one = sampler(size=50)
    seeds = set()
    for epoch in range(20):
        one.begin(8, epoch)
        seeds |= {draw.seed for draw in one}
    assert len(seeds) == 20 * 50


def test_two_processes_draw_what_one_draws(monkeypatch):
    alone = sampler()
    alone.begin(8, 3)
    expected = drawn(alone)
    shares = []
    for rank in range(2):
        for module in ('mmkd.engine.resumable_sampler', 'mmengine.dataset.sampler'):
            monkeypatch.setattr(f'{module}.get_dist_info', lambda rank=rank: (rank, 2))
        one = sampler()
        one.begin(8, 3)
        shares.append(drawn(one))
    assert shares == [expected[0::2], expected[1::2]]


def test_an_end_is_skipped_to():
    one = sampler()
    one.begin(8, 0, skipped=12)
    assert list(one) == []


def test_a_draw_survives_the_way_to_a_worker():
    draw = pickle.loads(pickle.dumps([Draw(4, 99)]))[0]
    assert (draw, draw.seed, type(draw)) == (4, 99, Draw)


class Told:
    """A data set that tells what it was asked and what it draws."""

    metainfo = {'classes': 3}

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> tuple[int, type, float]:
        import random

        return index, type(index), random.random()


def test_a_sample_depends_on_its_seed_alone():
    data = SeededDataset(Told())
    first = data[Draw(2, 7)]
    assert first[:2] == (2, int)
    assert data[Draw(2, 7)] == first != data[Draw(2, 8)]
    assert len(data) == 5 and data.metainfo == {'classes': 3}
    assert data[2] != data[2]  # without a seed, as ever
    assert len(pickle.loads(pickle.dumps(data))) == 5
