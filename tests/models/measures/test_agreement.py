import numpy as np
import pytest
import torch

from mmkd.models.measures import mean_correlation, mean_cosine, same_choice


def test_same_choice() -> None:
    student = torch.tensor([[1.0, 2.0, 0.0], [3.0, 1.0, 2.0], [0.0, 0.0, 9.0]])
    teacher = torch.tensor([[0.0, 5.0, 4.0], [1.0, 2.0, 0.0], [1.0, 2.0, 3.0]])
    assert same_choice(student, teacher).item() == pytest.approx(2 / 3)


def test_mean_cosine_and_correlation_against_numpy() -> None:
    mine, theirs = torch.randn(2, 4, 3, 2, 5)
    pairs = list(zip(mine.flatten(1).numpy(), theirs.flatten(1).numpy(), strict=True))
    cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairs]
    assert mean_cosine(mine, theirs).item() == pytest.approx(np.mean(cosines), abs=1e-6)
    expected = np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs])
    found = mean_correlation(mine.flatten(1), theirs.flatten(1))
    assert found.item() == pytest.approx(expected, abs=1e-6)


def test_no_gradient_and_no_temperature() -> None:
    student = torch.randn(4, 6, requires_grad=True)
    teacher = 0.1 * student.detach() + 7
    found = mean_correlation(student, teacher)
    assert found.item() == pytest.approx(1, abs=1e-5)
    assert not found.requires_grad
    assert not same_choice(student, teacher).requires_grad
