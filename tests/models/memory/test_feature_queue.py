from collections import deque

import pytest
import torch

from mmkd.errors import UserError
from mmkd.models.memory import FeatureQueue


@pytest.mark.parametrize('size', [1, 7, 16])
def test_equals_a_deque_for_any_batch_size(size: int) -> None:
    queue = FeatureQueue(size, 3)
    twin = deque(queue.features.tolist(), maxlen=size)
    for batch in (1, 5, 5, 3, size, size + 4, 2 * size + 1):
        new = torch.randn(batch, 3)
        queue.enqueue(new)
        twin.extend(new.tolist())
        pointer = int(queue.pointer)
        in_order = queue.features.roll(-pointer, dims=0)
        torch.testing.assert_close(in_order, torch.tensor(list(twin)))


def test_official_queue_slots() -> None:
    queue = FeatureQueue(15360, 4)
    for _ in range(512):
        queue.enqueue(torch.ones(30, 4))
    assert int(queue.pointer) == 0
    assert (queue.features == 1).all()


def test_start_has_unit_rows_or_the_official_small_ones() -> None:
    torch.manual_seed(0)
    ours = FeatureQueue(15360, 128).features.norm(dim=1)
    torch.testing.assert_close(ours, torch.ones(15360))
    official = FeatureQueue(15360, 128, rule='official').features
    assert official.norm(dim=1).mean().item() == pytest.approx(0.091, abs=0.0005)
    torch.testing.assert_close(official.norm(dim=0), torch.ones(128))


def test_similarities_survive_an_enqueue_before_backward() -> None:
    queue = FeatureQueue(4, 2)
    queries = torch.randn(3, 2, requires_grad=True)
    anchors = queue.features.clone()
    similarities = queue.similarities(queries)
    queue.enqueue(torch.randn(4, 2))
    similarities.sum().backward()
    torch.testing.assert_close(queries.grad, anchors.sum(0).expand(3, 2))


def test_impossible_size() -> None:
    with pytest.raises(UserError, match='size 0'):
        FeatureQueue(0, 128)


def test_similarities_of_kept_features_leave_the_own_one_out() -> None:
    queue = FeatureQueue(5, 3)
    found = queue.own_similarities(most=2)
    assert found is not None and found.shape == (2, 5)
    expected = queue.features[:2] @ queue.features.t()
    own = torch.eye(5)[:2].bool()
    assert torch.isneginf(found[own]).all()
    torch.testing.assert_close(found[~own], expected[~own])
    assert queue.own_similarities(most=9).shape == (5, 5)
    assert FeatureQueue(1, 3).own_similarities(most=9) is None
