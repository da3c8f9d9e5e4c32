"""MoCo with one positive, A-VID with two. The official steps are in test_rspnet.py."""

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from mmkd.errors import UserError
from mmkd.methods.rspnet import InstanceContrast
from mmkd.models.memory import FeatureQueue
from mmkd.models.tasks import EncodedViews


def task(**settings: object) -> InstanceContrast:
    torch.manual_seed(0)
    settings = {'embedding': 5, 'queue_size': 7, **settings}
    return InstanceContrast(8, **settings).double().train()


def batch(views: int = 2) -> EncodedViews:
    torch.manual_seed(1)
    student = {0: torch.randn(3, 8, 2, 2, 2).double()}
    teacher = {view: torch.randn(3, 5).double() for view in range(1, views + 1)}
    return EncodedViews(student, teacher, {})


def moco(contrast: InstanceContrast, seen: EncodedViews, view: int) -> torch.Tensor:
    """Write MoCo's own few lines down, row by row."""
    logits = []
    for feature, key in zip(
        contrast.projector(seen.student[0]), seen.teacher[view], strict=True
    ):
        query = feature / feature.norm()
        rows = [key / key.norm(), *contrast.queue.features]
        logits.append(torch.stack([query @ row for row in rows]) / 0.07)
    return cross_entropy(torch.stack(logits), torch.zeros(3, dtype=torch.long))


def test_one_positive_is_moco() -> None:
    contrast, seen = task(), batch()
    expected = moco(contrast, seen, 1)
    before = contrast.queue.features.clone()
    result = contrast.loss(seen)
    assert set(result) == {'loss_1', 'acc_1', 'chance', 'uniform'}
    torch.testing.assert_close(result['loss_1'], expected)
    features = contrast.queue.features
    torch.testing.assert_close(features[:3], normalize(seen.teacher[1], dim=1))
    assert torch.equal(features[3:], before[3:])


@pytest.mark.parametrize(('queue_view', 'enqueued'), [(None, 2), (1, 1)])
def test_two_positives_share_the_queue_and_one_enters(
    queue_view: int | None, enqueued: int
) -> None:
    contrast, seen = task(teacher_views=(1, 2), queue_view=queue_view), batch()
    expected = [moco(contrast, seen, view) for view in (1, 2)]
    result = contrast.loss(seen)
    torch.testing.assert_close(result['loss_1'], expected[0])
    torch.testing.assert_close(result['loss_2'], expected[1])
    key = normalize(seen.teacher[enqueued], dim=1)
    torch.testing.assert_close(contrast.queue.features[:3], key)
    assert contrast.queue.pointer == 3


def test_accuracy_counts_positives_nearer_than_all_negatives() -> None:
    contrast, seen = task(), batch()
    query = normalize(contrast.projector(seen.student[0]), dim=1).detach()
    # The first two find themselves, the third is the opposite of itself.
    seen.teacher[1] = query * torch.tensor([[1.0], [1.0], [-1.0]]).double()
    assert contrast.loss(seen)['acc_1'].item() == pytest.approx(2 / 3)


def test_no_gradient_to_the_keys_and_no_new_keys_in_eval() -> None:
    contrast, seen = task().eval(), batch()
    before = contrast.queue.features.clone()
    contrast.loss(seen)['loss_1'].backward()
    assert torch.equal(contrast.queue.features, before)
    assert contrast.projector.layers[0].weight.grad.abs().sum() > 0
    assert not contrast.queue.features.requires_grad


def test_settings() -> None:
    assert isinstance(task().queue, FeatureQueue)
    assert InstanceContrast(8).queue.size == 16384
    assert len(task(hidden_channels=6).projector.layers) > 1
    with pytest.raises(UserError, match='queue_view 0 is no teacher view'):
        task(queue_view=0)
