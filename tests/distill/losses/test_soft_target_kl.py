import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmkd.distill.losses import SoftTargetKL, soft_target_kl, standardize_logits
from mmkd.errors import UserError


def softmax(row: list[float], temperature: float) -> list[float]:
    weights = [math.exp(x / temperature) for x in row]
    return [w / sum(weights) for w in weights]


def twin(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> float:
    """KL by its definition, number by number in double precision."""
    total = 0.0
    for of_student, of_teacher in zip(student.tolist(), teacher.tolist(), strict=True):
        p, q = softmax(of_teacher, temperature), softmax(of_student, temperature)
        total += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    return temperature**2 * total / len(student)


@given(st.integers(0, 2**31), st.sampled_from([0.5, 1.0, 4.0, 20.0]))
def test_equals_the_definition(seed: int, temperature: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    student, teacher = torch.randn(2, 3, 5, generator=generator) * 3
    expected = twin(student.double(), teacher.double(), temperature)
    found = soft_target_kl(student.double(), teacher.double(), temperature)
    assert found.item() == pytest.approx(expected, rel=1e-9, abs=1e-14)
    single = soft_target_kl(student, teacher, temperature)
    assert single.item() == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_exactly_zero_for_equal_logits_and_no_gradient_to_the_teacher() -> None:
    logits = (torch.randn(4, 7) * 9).requires_grad_()
    teacher = logits.detach().clone().requires_grad_()
    loss = soft_target_kl(logits, teacher)
    loss.backward()
    assert loss.item() == 0
    assert teacher.grad is None and logits.grad is not None


def test_the_gradient_at_a_high_temperature_is_that_of_squared_differences() -> None:
    """Section 2.1 of the paper: for zero-mean logits it tends to (z - v) / classes."""
    student = torch.randn(1, 6, dtype=torch.float64)
    teacher = torch.randn(1, 6, dtype=torch.float64)
    student, teacher = (x - x.mean() for x in (student, teacher))
    student.requires_grad_()
    soft_target_kl(student, teacher, 1e5).backward()
    torch.testing.assert_close(
        student.grad, (student - teacher).detach() / 6, rtol=1e-4, atol=1e-6
    )


def test_standardised_logits_forget_shift_and_scale() -> None:
    logits = torch.randn(3, 8, dtype=torch.float64)
    standard = standardize_logits(logits)
    row = logits[0].tolist()
    mean = sum(row) / 8
    deviation = math.sqrt(sum((x - mean) ** 2 for x in row) / 8)
    assert standard[0, 3].item() == pytest.approx((row[3] - mean) / deviation, rel=1e-5)
    moved = 5 * logits + 2
    assert soft_target_kl(moved, logits, 4, standardize=True).item() < 1e-12
    assert soft_target_kl(moved, logits, 4).item() > 0.1


def test_the_module_is_the_function() -> None:
    student, teacher = torch.randn(2, 3, 5)
    expected = soft_target_kl(student, teacher, 2.0, standardize=True)
    assert torch.equal(SoftTargetKL(2.0, True)(student, teacher), expected)
    with pytest.raises(UserError, match='temperature 0'):
        SoftTargetKL(temperature=0)


@pytest.mark.parametrize('other', [(3, 4), (3, 1), (1, 5), (3, 5, 1)])
def test_shapes_that_would_broadcast_are_refused(other: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match='expected t'):
        soft_target_kl(torch.zeros(3, 5), torch.zeros(other))
