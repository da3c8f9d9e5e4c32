import math
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from mmkd.distill.losses import BankSimilarity
from mmkd.errors import UserError
from mmkd.models.memory import MemoryBank

BANK = 'tasks.contrast.banks.1'


def checkpoint(folder: Path, features: Tensor) -> str:
    path = folder / 'teacher.pth'
    torch.save({'state_dict': {f'{BANK}.features': features}}, path)
    return str(path)


def softmax(row: list[float]) -> list[float]:
    weights = [math.exp(x) for x in row]
    return [w / sum(weights) for w in weights]


def test_equals_the_definition(tmp_path: Path) -> None:
    torch.manual_seed(0)
    bank = MemoryBank(6, 4).features
    loss = BankSimilarity(checkpoint(tmp_path, bank), BANK, 0.1, 0.05)
    student, teacher = torch.randn(2, 3, 4) * 5
    expected = 0.0
    for of_student, of_teacher in zip(
        normalize(student), normalize(teacher), strict=True
    ):
        q = softmax([(of_student @ row).item() / 0.1 for row in bank])
        p = softmax([(of_teacher @ row).item() / 0.05 for row in bank])
        expected += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)) / 3
    assert loss(student, teacher).item() == pytest.approx(expected, rel=1e-5)


def test_it_teaches_the_student_only_and_keeps_the_bank(tmp_path: Path) -> None:
    bank = MemoryBank(6, 4).features
    loss = BankSimilarity(checkpoint(tmp_path, bank), BANK).train()
    student = torch.randn(3, 4, requires_grad=True)
    teacher = torch.randn(3, 4, requires_grad=True)
    loss(student, teacher).backward()
    assert student.grad is not None
    assert student.grad.abs().sum() > 0
    assert teacher.grad is None
    assert torch.equal(loss.features, bank)
    assert loss.state_dict() == {}
    assert loss(student, student).item() == 0


def test_half_precision_does_not_coarsen_it(tmp_path: Path) -> None:
    loss = BankSimilarity(checkpoint(tmp_path, MemoryBank(64, 8).features), BANK)
    student, teacher = torch.randn(2, 3, 8).bfloat16()
    with torch.autocast('cpu', torch.bfloat16):
        half = loss(student, teacher)
    assert half.item() == loss(student.float(), teacher.float()).item()


def test_another_width_than_the_bank_is_named(tmp_path: Path) -> None:
    loss = BankSimilarity(checkpoint(tmp_path, torch.ones(6, 4)), BANK)
    with pytest.raises(ValueError, match='width 4'):
        loss(torch.zeros(2, 5), torch.zeros(2, 5))


@pytest.mark.parametrize('features', [torch.ones(6), torch.empty(0, 4)])
def test_what_is_no_bank_is_the_users_error(tmp_path: Path, features: Tensor) -> None:
    with pytest.raises(UserError, match=f'no memory bank {BANK!r}; it has: {BANK}'):
        BankSimilarity(checkpoint(tmp_path, features), BANK)
    with pytest.raises(UserError, match=r"no memory bank 'tasks\.contrast\.banks\.0'"):
        BankSimilarity(checkpoint(tmp_path, features))
