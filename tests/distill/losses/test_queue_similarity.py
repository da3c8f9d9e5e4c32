import math

import pytest
import torch
from torch.nn.functional import normalize

from mmkd.distill.losses import QueueSimilarity


def softmax(row: list[float]) -> list[float]:
    weights = [math.exp(x) for x in row]
    return [w / sum(weights) for w in weights]


def test_equals_the_definition_and_then_takes_in_the_teacher() -> None:
    torch.manual_seed(0)
    loss = QueueSimilarity(4, 6, 0.1, 0.05).double()
    student, teacher = torch.randn(2, 3, 4, dtype=torch.float64) * 5
    queue = loss.queue.features.clone()
    expected = 0.0
    for of_student, of_teacher in zip(
        normalize(student), normalize(teacher), strict=True
    ):
        q = softmax([(of_student @ row).item() / 0.1 for row in queue])
        p = softmax([(of_teacher @ row).item() / 0.05 for row in queue])
        expected += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)) / 3
    assert loss(student, teacher).item() == pytest.approx(expected, rel=1e-9)
    torch.testing.assert_close(loss.queue.features[:3], normalize(teacher))
    assert torch.equal(loss.queue.features[3:], queue[3:])


def test_zero_for_equal_features_and_no_memory_in_eval() -> None:
    loss = QueueSimilarity(4, 6).eval()
    before = loss.queue.features.clone()
    feature = torch.randn(3, 4)
    assert loss(feature, feature.clone()).item() == 0
    assert torch.equal(loss.queue.features, before)


def test_another_width_than_the_queue_is_named() -> None:
    with pytest.raises(ValueError, match='channels=4'):
        QueueSimilarity(4, 6)(torch.zeros(2, 5), torch.zeros(2, 5))
