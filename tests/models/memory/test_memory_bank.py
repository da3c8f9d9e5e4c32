import math

import pytest
import torch

from mmkd.errors import UserError
from mmkd.models.memory import MemoryBank


def test_start_is_uniform_with_a_norm_of_about_1() -> None:
    torch.manual_seed(0)
    features = MemoryBank(2000, 128).features
    bound = 1 / math.sqrt(128 / 3)
    assert features.abs().max() <= bound
    assert features.abs().max() > 0.999 * bound
    # variance of a uniform value: bound ** 2 / 3 = 1 / 128
    assert features.var().item() == pytest.approx(1 / 128, rel=0.01)
    assert features.norm(dim=1).mean().item() == pytest.approx(1, abs=0.005)


def test_similarities_equal_a_loop() -> None:
    bank = MemoryBank(9, 5)
    queries = torch.randn(4, 5)
    rows = torch.randint(9, (4, 6))
    twin = [
        [float(query @ bank.features[row]) for row in own]
        for query, own in zip(queries, rows, strict=True)
    ]
    torch.testing.assert_close(bank.similarities(queries, rows), torch.tensor(twin))


def test_gradient_reaches_the_queries_and_survives_an_update() -> None:
    bank = MemoryBank(4, 3)
    queries = torch.randn(2, 3, requires_grad=True)
    rows = torch.tensor([[0, 1], [2, 2]])
    expected = bank.features[rows].sum(dim=1)
    similarities = bank.similarities(queries, rows)
    bank.update(torch.arange(4), torch.randn(4, 3))
    similarities.sum().backward()
    torch.testing.assert_close(queries.grad, expected)


def test_similarities_keep_the_precision_of_the_bank_under_autocast() -> None:
    bank = MemoryBank(4, 128)
    queries, rows = torch.randn(2, 128), torch.tensor([[0, 1], [2, 3]])
    expected = bank.similarities(queries, rows)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        ours = bank.similarities(queries, rows)
    assert ours.dtype == torch.float32
    assert torch.equal(ours, expected)


@pytest.mark.parametrize('momentum', [0, 0.5, 0.9, 1])
def test_update_equals_a_loop_in_which_the_last_one_counts(momentum: float) -> None:
    bank = MemoryBank(6, 4, momentum)
    old = bank.features.clone()
    rows = torch.tensor([3, 0, 3, 5, 0, 3])
    new = torch.randn(6, 4)
    bank.update(rows, new)
    twin = old.clone()
    for row, feature in zip(rows.tolist(), new, strict=True):
        mixed = momentum * old[row] + (1 - momentum) * feature
        twin[row] = mixed / mixed.norm()
    torch.testing.assert_close(bank.features, twin)
    torch.testing.assert_close(bank.features[[1, 2, 4]], old[[1, 2, 4]])


def test_resizing_starts_again_in_the_same_tensor() -> None:
    bank = MemoryBank(dim=8).double()
    held = bank.features
    assert bank.size == 0
    bank.resize(5)
    assert bank.size == 5
    assert bank.features is held is bank.state_dict(keep_vars=True)['features']
    assert held.dtype == torch.float64
    assert held.norm(dim=1).mean().item() == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'size': 0}, 'for 0 videos'),
        ({'dim': 0}, 'width 0'),
        ({'momentum': 1.5}, r'momentum 1\.5'),
    ],
)
def test_impossible_banks_are_the_users_error(options: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        MemoryBank(**options)
