import torch

from mmkd.models.losses import SimilarityKLLoss, similarity_kl
from tests.golden import load_golden


def slow_twin(student: torch.Tensor, teacher: torch.Tensor) -> float:
    """Sum the definition of the divergence, number by number."""
    total = 0.0
    for s, t in zip(student.double() / 0.1, teacher.double() / 0.02, strict=True):
        p, q = t.softmax(0), s.softmax(0)
        total += sum(
            float(a) * (float(a.log()) - float(b.log()))
            for a, b in zip(p, q, strict=True)
        )
    return total / len(student)


def test_equals_the_definition() -> None:
    torch.manual_seed(0)
    student, teacher = torch.rand(5, 7) * 2 - 1, torch.rand(5, 7) * 2 - 1
    expected = slow_twin(student, teacher)
    assert abs(SimilarityKLLoss()(student, teacher).item() - expected) < 1e-4 * expected


def test_official_values_and_gradient() -> None:
    golden = load_golden('loss_units')
    student = (golden.inputs('student') * 5).requires_grad_()
    teacher = golden.inputs('teacher') * 20
    loss = similarity_kl(student, teacher, 1.0, 1.0)
    loss.backward()
    golden.check('kld', loss)
    golden.check('kld_grad', student.grad)
    golden.check('kld_self', similarity_kl(student, student, 1.0, 1.0))


def test_no_gradient_to_the_teacher() -> None:
    student = torch.randn(2, 3, requires_grad=True)
    teacher = torch.randn(2, 3, requires_grad=True)
    similarity_kl(student, teacher).backward()
    assert teacher.grad is None
    assert student.grad.abs().sum() > 0


def test_identical_distributions_give_zero_and_others_more() -> None:
    rows = torch.randn(4, 9)
    assert similarity_kl(rows * 5, rows).item() < 1e-6
    assert similarity_kl(-rows, rows).item() > 1
