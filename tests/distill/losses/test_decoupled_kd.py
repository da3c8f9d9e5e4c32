import math

import pytest
import torch

from mmkd.distill.losses import DecoupledKD, decoupled_kd, soft_target_kl


def kl(p: list[float], q: list[float]) -> float:
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


def parts(row: list[float], label: int) -> tuple[list[float], list[float]]:
    """Return (label, others) as two classes, and the distribution over the others."""
    weights = [math.exp(x) for x in row]
    total = sum(weights)
    others = [w for i, w in enumerate(weights) if i != label]
    right = weights[label] / total
    return [right, 1 - right], [w / sum(others) for w in others]


def test_equals_the_definition() -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 4, 5, dtype=torch.float64)
    labels = torch.tensor([0, 4, 2, 2])
    alpha, beta, temperature = 1.5, 8.0, 3.0
    expected = 0.0
    for of_student, of_teacher, label in zip(
        student, teacher, labels.tolist(), strict=True
    ):
        q = parts((of_student / temperature).tolist(), label)
        p = parts((of_teacher / temperature).tolist(), label)
        expected += (alpha * kl(p[0], q[0]) + beta * kl(p[1], q[1])) / 4
    loss = DecoupledKD(alpha, beta, temperature)(student, teacher, labels)
    assert loss.item() == pytest.approx(expected * temperature**2, rel=1e-9)


def test_weighed_by_the_teacher_it_is_the_plain_divergence() -> None:
    """Equation 6 of the paper: KL = TCKD + (1 - p_label) NCKD, for one row."""
    student, teacher = torch.randn(2, 1, 6, dtype=torch.float64)
    labels = torch.tensor([3])
    unsure = 1 - teacher.softmax(1)[0, 3].item()
    found = decoupled_kd(student, teacher, labels, 1.0, unsure, 1.0)
    torch.testing.assert_close(found, soft_target_kl(student, teacher, 1.0))


def test_exactly_zero_for_equal_logits() -> None:
    logits = torch.randn(4, 7) * 5
    teacher = logits.clone().requires_grad_()
    loss = decoupled_kd(logits.requires_grad_(), teacher, torch.tensor([0, 1, 6, 3]))
    loss.backward()
    assert loss.item() == 0
    assert teacher.grad is None
    assert torch.isfinite(logits.grad).all()


def test_large_logits_stay_finite() -> None:
    student = torch.tensor([[300.0, -300.0, 0.0]], requires_grad=True)
    loss = decoupled_kd(student, -student.detach(), torch.tensor([0]))
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(student.grad).all()
