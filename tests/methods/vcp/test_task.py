import math

import pytest
import torch

from mmkd.methods.vcp import ClipTransform
from mmkd.models.tasks import EncodedViews


def batch(labels: list[int], channels: int = 8) -> EncodedViews:
    rows = torch.full((len(labels), 3), -100)
    rows[:, 1] = torch.tensor(labels)
    maps = {view: torch.randn(len(labels), channels, 2, 2, 2) for view in range(3)}
    return EncodedViews(maps, {}, {'transform': rows})


def test_size_of_the_released_classifier() -> None:
    task = ClipTransform(in_channels=512)
    assert sum(p.numel() for p in task.parameters()) == 7685


def test_uninformed_model_has_the_loss_of_chance() -> None:
    task = ClipTransform(in_channels=8)
    torch.nn.init.zeros_(task.classifier.weight)
    torch.nn.init.zeros_(task.classifier.bias)
    loss = task.loss(batch([0, 1, 2, 3, 4]))['loss']
    assert loss.item() == pytest.approx(math.log(5))


def test_a_fresh_model_is_near_it() -> None:
    torch.manual_seed(0)
    task = ClipTransform(in_channels=512)
    loss = task.loss(batch([0, 1, 2, 3, 4] * 20, 512))['loss']
    assert loss.item() == pytest.approx(math.log(5), abs=0.05)


def test_logits_are_those_of_the_features_side_by_side() -> None:
    task, views = ClipTransform(in_channels=8), batch([3, 0])
    features = [views.student[view].mean(dim=(2, 3, 4)) for view in (0, 1, 2)]
    expected = torch.cat(features, dim=1) @ task.classifier.weight.t()
    torch.testing.assert_close(
        task.logits(views.student), expected + task.classifier.bias
    )
    result = task.loss(views)
    right = (task.logits(views.student).argmax(dim=1) == torch.tensor([3, 0])).float()
    assert result['acc'].item() == right.mean().item()
