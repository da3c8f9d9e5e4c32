"""What auxSKD logs beside its loss, against slow twins."""

from math import log

import numpy as np
import pytest
import torch

from mmkd.methods.auxskd import mean_correlation, similarity_gain
from mmkd.models.losses import similarity_kl


def slow_gain(
    student: torch.Tensor, teacher: torch.Tensor, earlier: torch.Tensor | None = None
) -> float:
    """KL of the teacher's mean distribution, less that of the student, row by row."""
    rows = [(t / 0.02).softmax(0) for t in teacher.double()]
    known = [] if earlier is None else list(earlier.double())
    answers = [*rows, *((e / 0.02).softmax(0) for e in known)]
    mean = sum(answers) / len(answers)
    total = 0.0
    for s, p in zip(student.double(), rows, strict=True):
        q = (s / 0.1).softmax(0)
        for k in range(len(p)):
            if p[k] > 0:
                total += float(p[k] * (p[k] / mean[k]).log())
                total -= float(p[k] * (p[k] / q[k]).log())
    return total / len(rows)


@pytest.mark.parametrize('seed', range(3))
def test_gain_is_that_of_the_slow_twin(seed: int) -> None:
    torch.manual_seed(seed)
    student, teacher = torch.rand(2, 5, 9) * 2 - 1
    gain = similarity_gain(student, teacher)
    assert gain.item() == pytest.approx(slow_gain(student, teacher), abs=1e-4)
    assert not gain.requires_grad


@pytest.mark.parametrize('seed', range(3))
def test_gain_with_earlier_clips_is_that_of_the_slow_twin(seed: int) -> None:
    torch.manual_seed(seed)
    student, teacher = torch.rand(2, 5, 9) * 2 - 1
    earlier = (torch.rand(7, 9) * 2 - 1).fill_diagonal_(float('-inf'))
    gain = similarity_gain(student, teacher, earlier=earlier)
    assert gain.item() == pytest.approx(slow_gain(student, teacher, earlier), abs=1e-4)


def test_earlier_clips_take_the_bias_of_a_small_batch() -> None:
    torch.manual_seed(0)
    # A teacher that tells the clips apart; a student that answers its true mean.
    draws = torch.randn(5000, 20).double() * 0.04
    constant = 0.1 * (draws / 0.02).softmax(1).mean(0).log()
    plain, with_earlier = [], []
    for batch, earlier in zip(
        draws[:400].split(8), draws[-4000:].split(80), strict=True
    ):
        answers = constant.expand(8, 20)
        plain.append(similarity_gain(answers, batch).item())
        with_earlier.append(similarity_gain(answers, batch, earlier=earlier).item())
    blind, seeing = (sum(gains) / len(gains) for gains in (plain, with_earlier))
    # Neither says that it learned; a few rows alone hide what others have.
    assert blind < -0.2 and -0.05 < seeing < 0


def test_gain_of_the_best_that_ignores_the_clip_is_zero() -> None:
    teacher = torch.rand(6, 8, dtype=torch.float64) * 0.1
    mean = (teacher / 0.02).softmax(1).mean(0)
    constant = (0.1 * mean.log()).expand(6, 8)
    assert similarity_gain(constant, teacher).item() == pytest.approx(0, abs=1e-9)
    # A uniform answer is worse, the teacher's own is the best there is.
    assert similarity_gain(torch.zeros(6, 8).double(), teacher) < 0
    perfect = similarity_gain(5 * teacher, teacher)
    zero = similarity_kl(5 * teacher, teacher)
    assert zero.item() == pytest.approx(0, abs=1e-9)
    assert 0 < perfect.item() <= log(6)


def test_gain_of_sharp_distributions_is_finite() -> None:
    teacher = torch.eye(4).repeat(2, 3)
    assert similarity_gain(-teacher, teacher, 0.01, 0.001).isfinite()


def test_correlation_against_numpy() -> None:
    student, teacher = torch.randn(2, 4, 30)
    pairs = zip(student.numpy(), teacher.numpy(), strict=True)
    expected = np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs])
    found = mean_correlation(student, teacher)
    assert found.item() == pytest.approx(expected, abs=1e-6)


def test_correlation_has_no_gradient_and_no_temperature() -> None:
    student = torch.randn(4, 6, requires_grad=True)
    teacher = 0.1 * student.detach() + 7
    found = mean_correlation(student, teacher)
    assert found.item() == pytest.approx(1, abs=1e-5)
    assert not found.requires_grad
