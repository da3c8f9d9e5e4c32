import math

import pytest
import torch

from mmkd.distill.losses import FeatureDistance, feature_distance
from mmkd.distill.losses.feature_distances import Distance
from mmkd.errors import UserError


def unit(vector: list[float]) -> list[float]:
    norm = math.sqrt(sum(x * x for x in vector))
    return [x / norm for x in vector]


def twin(
    student: torch.Tensor, teacher: torch.Tensor, distance: str, normalize: bool
) -> float:
    """Position by position, number by number."""
    rows = [
        (a.tolist(), b.tolist())
        for a, b in zip(
            student.flatten(2).transpose(1, 2).flatten(0, 1),
            teacher.flatten(2).transpose(1, 2).flatten(0, 1),
            strict=True,
        )
    ]
    total = 0.0
    for of_student, of_teacher in rows:
        if normalize or distance == 'cosine':
            of_student, of_teacher = unit(of_student), unit(of_teacher)
        gaps = [abs(a - b) for a, b in zip(of_student, of_teacher, strict=True)]
        if distance == 'mse':
            total += sum(g * g for g in gaps) / len(gaps)
        elif distance == 'smooth_l1':
            total += sum(g * g / 2 if g < 1 else g - 0.5 for g in gaps) / len(gaps)
        else:
            total += 1 - sum(a * b for a, b in zip(of_student, of_teacher, strict=True))
    return total / len(rows)


@pytest.mark.parametrize('distance', ['mse', 'cosine', 'smooth_l1'])
@pytest.mark.parametrize('normalize', [False, True])
@pytest.mark.parametrize('shape', [(3, 4, 1), (2, 4, 2, 3, 3)])
def test_equals_the_definition(
    distance: Distance, normalize: bool, shape: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(2, *shape, dtype=torch.float64) * 2
    found = FeatureDistance(distance, normalize)(student, teacher)
    expected = twin(student, teacher, distance, normalize)
    assert found.item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize('distance', ['mse', 'cosine', 'smooth_l1'])
def test_exactly_zero_for_equal_features(distance: Distance) -> None:
    feature = torch.randn(3, 5, 2, 2, 2)
    teacher = feature.clone().requires_grad_()
    loss = feature_distance(feature.requires_grad_(), teacher, distance)
    loss.backward()
    assert loss.item() == 0
    assert teacher.grad is None
    assert torch.isfinite(feature.grad).all()


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r'\(2, 4\) and \(2, 1\)'):
        feature_distance(torch.zeros(2, 4), torch.zeros(2, 1))
    with pytest.raises(UserError, match=r"distance 'l2'.*mse, cosine, smooth_l1"):
        FeatureDistance('l2')
