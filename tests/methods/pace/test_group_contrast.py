import math

import pytest
import torch

from mmkd.methods.pace import group_chance, group_contrast, nearest_is_positive


def slow(similarities, positive, negative):
    """The definition, anchor by anchor."""
    total = 0.0
    for row, plus, minus in zip(similarities, positive, negative, strict=True):
        rest = sum(math.exp(s) for s, is_n in zip(row, minus, strict=True) if is_n)
        terms = [
            -math.log(math.exp(s) / (math.exp(s) + rest))
            for s, is_p in zip(row, plus, strict=True)
            if is_p
        ]
        total += sum(terms) / len(terms) if terms else 0.0
    return total / len(similarities)


def test_it_equals_the_definition():
    generator = torch.Generator().manual_seed(0)
    similarities = torch.randn(5, 9, generator=generator, dtype=torch.double)
    kinds = torch.randint(0, 3, (5, 9), generator=generator)
    kinds[0] = 0  # neither positives nor negatives
    kinds[1] = 1  # positives only
    kinds[2] = 2  # negatives only
    similarities.requires_grad_()
    loss = group_contrast(similarities, kinds == 1, kinds == 2)
    expected = slow(similarities.tolist(), (kinds == 1).tolist(), (kinds == 2).tolist())
    assert loss.item() == pytest.approx(expected)
    loss.backward()
    assert similarities.grad.isfinite().all()
    assert (similarities.grad[:3] == 0).all()
    assert (similarities.grad[3:][kinds[3:] == 1] < 0).all()
    assert (similarities.grad[3:][kinds[3:] == 0] == 0).all()


def test_one_positive_is_a_cross_entropy():
    similarities = torch.randn(4, 6)
    positive = torch.arange(6) == torch.tensor([2, 0, 5, 1])[:, None]
    loss = group_contrast(similarities, positive, ~positive)
    expected = torch.nn.functional.cross_entropy(
        similarities, positive.float().argmax(1)
    )
    torch.testing.assert_close(loss, expected)


def test_ignorance_of_a_contrast() -> None:
    # Two videos of two clips, and one alone: 1 positive of 4, 1 of 4, 0 of 4.
    groups = torch.tensor([0, 0, 1, 1, 2])
    same = groups[:, None] == groups
    positive, negative = same & ~torch.eye(5, dtype=torch.bool), ~same
    share, loss = group_chance(positive, negative)
    flat = group_contrast(torch.zeros(5, 5), positive, negative)
    assert loss.item() == pytest.approx(flat.item())
    assert share.item() == pytest.approx((4 * 1 / 4 + 0) / 5)


def test_nearest_is_positive() -> None:
    positive = torch.tensor([[True, False, False], [False, True, False]])
    negative = torch.tensor([[False, True, False], [True, False, True]])
    similar = torch.tensor([[0.5, 0.4, 0.9], [0.1, 0.2, 0.2]])
    # The third key of the first row is neither; a tie is no nearest.
    assert nearest_is_positive(similar, positive, negative).item() == 0.5
