import pytest
import torch
from torch.nn import functional

from mmkd.models.tasks import masked_accuracy, masked_cross_entropy


def test_all_labelled_is_the_usual_mean() -> None:
    logits, labels = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    expected = functional.cross_entropy(logits, labels)
    torch.testing.assert_close(masked_cross_entropy(logits, labels), expected)


def test_unlabelled_rows_add_nothing() -> None:
    logits = torch.randn(4, 3)
    labels = torch.tensor([2, -100, 0, -100])
    twin = -(logits[0].log_softmax(0)[2] + logits[2].log_softmax(0)[0]) / 4
    torch.testing.assert_close(masked_cross_entropy(logits, labels), twin)


def test_mean_over_two_halves_is_the_whole() -> None:
    logits = torch.randn(8, 3)
    labels = torch.tensor([0, -100, -100, -100, 1, 2, 0, 1])
    halves = [
        masked_cross_entropy(logits[i : i + 4], labels[i : i + 4]) for i in (0, 4)
    ]
    whole = masked_cross_entropy(logits, labels)
    torch.testing.assert_close(sum(halves) / 2, whole)


def test_no_label_at_all_is_zero_with_a_gradient() -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    loss = masked_cross_entropy(logits, torch.full((2,), -100))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.abs().sum() == 0


def test_accuracy_counts_labelled_rows_only() -> None:
    logits = torch.eye(4)
    labels = torch.tensor([0, 2, -100, 3])
    assert masked_accuracy(logits, labels).item() == pytest.approx(2 / 3)
    assert masked_accuracy(logits, torch.full((4,), -100)).item() == 0
