import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from mmkd.distill.losses import RelationalKD, relational_angle, relational_distance

Vector = list[float]


def huber(gap: float) -> float:
    return gap * gap / 2 if abs(gap) < 1 else abs(gap) - 0.5


def relative(features: list[Vector]) -> dict[tuple[int, int], float]:
    pairs = list(itertools.product(range(len(features)), repeat=2))
    raw = {(i, j): math.dist(features[i], features[j]) for i, j in pairs}
    mean = sum(raw.values()) / (len(features) * (len(features) - 1))
    return {pair: value / mean for pair, value in raw.items()}


def cosine(features: list[Vector], i: int, j: int, k: int) -> float:
    """Cosine of the angle at ``j``; 0 where a side has no length."""
    a = [x - y for x, y in zip(features[i], features[j], strict=True)]
    b = [x - y for x, y in zip(features[k], features[j], strict=True)]
    length = math.hypot(*a) * math.hypot(*b)
    return sum(x * y for x, y in zip(a, b, strict=True)) / length if length else 0.0


@pytest.fixture
def features() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return (
        torch.randn(4, 3, dtype=torch.float64),
        torch.randn(4, 5, dtype=torch.float64) * 7,
    )


def test_distances_equal_the_definition(features: tuple[Tensor, Tensor]) -> None:
    of_student, of_teacher = (relative(x.tolist()) for x in features)
    expected = (
        sum(huber(of_student[pair] - of_teacher[pair]) for pair in of_student) / 16
    )
    assert relational_distance(*features).item() == pytest.approx(expected, rel=1e-10)


def test_angles_equal_the_definition(features: tuple[Tensor, Tensor]) -> None:
    student, teacher = (x.tolist() for x in features)
    triplets = itertools.product(range(4), repeat=3)
    expected = sum(huber(cosine(student, *t) - cosine(teacher, *t)) for t in triplets)
    found = relational_angle(*features)
    assert found.item() == pytest.approx(expected / 64, rel=1e-10)


@pytest.mark.parametrize('loss', [relational_distance, relational_angle])
def test_exactly_zero_and_blind_to_scale(
    loss: Callable[[Tensor, Tensor], Tensor],
) -> None:
    feature = torch.randn(5, 6, dtype=torch.float64, requires_grad=True)
    teacher = feature.detach().clone().requires_grad_()
    value = loss(feature, teacher)
    value.backward()
    assert value.item() == 0
    assert teacher.grad is None
    assert loss(feature, 3 * teacher + 1).item() < 1e-12


@pytest.mark.parametrize('loss', [relational_distance, relational_angle])
def test_equal_rows_have_a_finite_gradient(
    loss: Callable[[Tensor, Tensor], Tensor],
) -> None:
    feature = torch.ones(3, 4, requires_grad=True)
    loss(feature, torch.randn(3, 4)).backward()
    assert torch.isfinite(feature.grad).all()


def test_the_module_weighs_both(features: tuple[Tensor, Tensor]) -> None:
    expected = 2 * relational_distance(*features) + 3 * relational_angle(*features)
    torch.testing.assert_close(RelationalKD(2.0, 3.0)(*features), expected)
    with pytest.raises(ValueError, match=r'\(4, 3\) and \(3, 5\)'):
        RelationalKD()(features[0], features[1][:3])
