"""The ranking task alone. The official steps are in test_rspnet.py."""

import pytest
import torch
from torch.nn.functional import normalize

from mmkd.errors import UserError
from mmkd.methods.rspnet import RelativeSpeed
from mmkd.models.tasks import EncodedViews


def seen_by(task: RelativeSpeed, same: list[float], other: list[float]) -> EncodedViews:
    """Return a batch whose cosines with the query are the given ones."""
    maps = torch.randn(len(same), 8, 1, 2, 2).double()
    query = normalize(task.projector(maps).detach(), dim=1)
    away = torch.randn_like(query)
    away = normalize(away - (away * query).sum(1, keepdim=True) * query, dim=1)

    def at(cosines: list[float]) -> torch.Tensor:
        c = torch.tensor(cosines, dtype=torch.float64)[:, None]
        # Any length: the task normalises.
        return 3 * (c * query + (1 - c**2).sqrt() * away)

    return EncodedViews({0: maps}, {1: at(same), 2: at(other)}, {})


def test_value_is_the_mean_hinge_of_scaled_cosines() -> None:
    torch.manual_seed(0)
    task = RelativeSpeed(8, embedding=6).double()
    result = task.loss(seen_by(task, [0.5, 0.5, 0.9], [0.5, 0.55, 0.1]))
    expected = (2 + (2 + 0.05 / 0.07) + 0) / 3
    assert result['loss'].item() == pytest.approx(expected)
    assert result['acc'].item() == pytest.approx(1 / 3)


def test_equal_speeds_cost_the_margin_and_settings_are_used() -> None:
    torch.manual_seed(0)
    task = RelativeSpeed(8, embedding=6, margin=0.7, temperature=1.0).double()
    seen = seen_by(task, [0.1, 0.4], [0.1, 0.4])
    assert task.loss(seen)['loss'].item() == pytest.approx(0.7)
    assert RelativeSpeed(8).margin == 2.0
    assert RelativeSpeed(8).temperature == 0.07


def test_views_are_same_then_other() -> None:
    torch.manual_seed(0)
    task = RelativeSpeed(8, embedding=6, teacher_views=(2, 1)).double()
    seen = seen_by(task, [0.1], [0.9])
    assert task.loss(seen)['loss'].item() == 0
    with pytest.raises(UserError, match='Give two'):
        RelativeSpeed(8, teacher_views=(1,))
