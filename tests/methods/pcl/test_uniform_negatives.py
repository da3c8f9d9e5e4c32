import pytest
import torch

from mmkd.errors import UserError
from mmkd.methods import pcl
from mmkd.methods.pcl import UniformNegatives


def test_every_row_is_drawn_alike_and_again() -> None:
    torch.manual_seed(0)
    rows = UniformNegatives(1000).draw(40, 8)
    assert rows.shape == (40, 1000)
    counts = rows.flatten().bincount(minlength=8)
    # 5000 expected each, deviation 66; four of them
    assert len(counts) == 8
    assert (counts - 5000).abs().max() < 265
    assert len({row.tolist().__repr__() for row in rows}) == 40


def test_draws_differ_from_step_to_step_and_go_on_after_a_resume() -> None:
    negatives = UniformNegatives(16)
    first = negatives.draw(4, 100)
    state = {key: value.clone() for key, value in negatives.state_dict().items()}
    second = negatives.draw(4, 100)
    assert not torch.equal(first, second)
    resumed = UniformNegatives(16)
    resumed.draw(4, 100)
    resumed.load_state_dict(state)
    assert torch.equal(resumed.draw(4, 100), second)


def test_the_seed_is_that_of_the_run() -> None:
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(UniformNegatives(16).draw(4, 100))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_the_global_generator_is_left_alone() -> None:
    negatives = UniformNegatives(16)
    state = torch.get_rng_state()
    negatives.draw(4, 100)
    assert torch.equal(torch.get_rng_state(), state)


def test_processes_share_one_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    whole = UniformNegatives(16).draw(7, 100)
    counts = [3, 0, 4]
    monkeypatch.setattr(pcl.dist, 'get_world_size', lambda: 3)
    monkeypatch.setattr(pcl, 'row_counts', lambda rows: counts)
    parts = []
    for rank, number in enumerate(counts):
        monkeypatch.setattr(pcl.dist, 'get_rank', lambda rank=rank: rank)
        torch.manual_seed(0)
        parts.append(UniformNegatives(16).draw(number, 100))
    assert torch.equal(torch.cat(parts), whole)


def test_no_negatives() -> None:
    with pytest.raises(UserError, match='0 negatives'):
        UniformNegatives(0)
