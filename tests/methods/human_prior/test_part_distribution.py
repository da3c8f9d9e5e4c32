"""Losses and weights of cells against loops in float64."""

import math

import pytest
import torch
from torch import Tensor

from mmkd.methods.human_prior import part_distribution, person_weights

SHAPE = (2, 4, 2, 3, 2)


def shares() -> Tensor:
    """Shares of four parts, with cells of one part only."""
    torch.manual_seed(1)
    x = torch.rand(SHAPE, dtype=torch.float64)
    x[x < 0.3] = 0
    x[:, 0] += 1e-3
    x[0, :, 0, 0, 0] = torch.tensor([0, 1, 0, 0])
    return x / x.sum(dim=1, keepdim=True)


def slow_cell(form: str, logits: list[float], share: list[float]) -> float:
    if form == 'bce':
        total = 0.0
        for z, q in zip(logits, share, strict=True):
            p = 1 / (1 + math.exp(-z))
            total -= math.log(p) if q >= 0.01 else math.log(1 - p)
        return total / len(logits)
    p = [math.exp(z) / sum(math.exp(y) for y in logits) for z in logits]
    if form == 'ce':
        return -math.log(p[share.index(max(share))])
    pairs = zip(share, p, strict=True)
    return sum(q * (math.log(q) - math.log(r)) for q, r in pairs if q > 0)


@pytest.mark.parametrize('form', ['kl', 'ce', 'bce'])
def test_equals_loops_over_cells(form: str) -> None:
    share = shares()
    logits = torch.randn(SHAPE, dtype=torch.float64)
    found = part_distribution(logits, share, form)
    assert found.shape == (2, 2, 3, 2)
    for n, t, y, x in torch.ones(found.shape).nonzero().tolist():
        cell = (n, slice(None), t, y, x)
        expected = slow_cell(form, logits[cell].tolist(), share[cell].tolist())
        assert found[n, t, y, x].item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize('form', ['kl', 'ce', 'bce'])
def test_gradients_are_those_of_finite_differences(form: str) -> None:
    share = shares()
    logits = torch.randn(SHAPE, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: part_distribution(x, share, form), logits)


def test_kl_is_zero_where_both_are_equal_and_only_there() -> None:
    share = shares()
    equal = part_distribution(share.clamp(min=1e-30).log(), share)
    assert equal.abs().max() < 1e-12
    assert part_distribution(torch.zeros(SHAPE).double(), share).min() > 1e-3


def test_half_precision_is_summed_in_float32_and_shares_get_no_gradient() -> None:
    share = shares().float().requires_grad_()
    logits = torch.randn(SHAPE).bfloat16().requires_grad_()
    found = part_distribution(logits, share)
    assert found.dtype == torch.float32
    found.sum().backward()
    assert share.grad is None and logits.grad is not None


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match='no form'):
        part_distribution(shares(), shares(), 'mse')  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='one shape'):
        part_distribution(shares(), shares()[:1])


def test_weights_of_cells() -> None:
    """Cells: person, background, half of each, a trace of person, half unknown."""
    person = torch.tensor([1, 0, 0.5, 0.005, 1])
    share = torch.stack([1 - person, person / 2, person / 2]).view(1, 3, 1, 1, 5)
    known = torch.tensor([1, 1, 1, 1, 0.5]).view(1, 1, 1, 5)

    def weights(**options: float) -> list[float]:
        return person_weights(share, known, **options).flatten().tolist()

    assert weights() == pytest.approx([1, 0.1, 0.55, 0.1045, 0.5])
    masked = weights(background_weight=0.2, min_person=0.01)
    assert masked == pytest.approx([1, 0, 0.6, 0, 0.5])
    assert weights(background_weight=1) == pytest.approx([1, 1, 1, 1, 0.5])
    other = person_weights(share.flip(1), known, background=2).flatten().tolist()
    assert other == pytest.approx(weights())
