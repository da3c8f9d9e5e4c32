"""A stage's config at another size, number by number."""

from typing import Any

import pytest
from mmengine.config import Config

from mmkd.commands.reproduce.derive import Larger, enlarge
from mmkd.errors import UserError

LARGER = Larger(pixels=112, frames=16, width=4, epochs=3)


def config(steps: list[dict[str, Any]], **model: Any) -> Config:
    return Config(
        {
            'model': {'backbone': {'base_channels': 8}, **model},
            'train_dataloader': {'dataset': {'pipeline': steps}},
            'train_cfg': {'max_epochs': 20},
            'param_scheduler': [{'type': 'CosineAnnealingLR', 'T_max': 20}],
        }
    )


def steps(cfg: Config) -> list[dict[str, Any]]:
    return cfg.train_dataloader.dataset.pipeline


def test_the_last_crop_gets_the_size_and_what_is_before_it_grows_alike() -> None:
    crop = {'type': 'PerView', 'transforms': [{'type': 'RandomCrop', 'size': 48}]}
    cfg = config([{'type': 'Resize', 'scale': (72, 54)}, crop])
    enlarge(cfg, LARGER)
    assert steps(cfg)[0].scale == (168, 126)
    assert steps(cfg)[1].transforms[0].size == 112


def test_a_clip_with_a_frame_interval_shows_the_same_time() -> None:
    cfg = config(
        [
            {'type': 'A', 'clip_len': 8, 'frame_interval': 4},
            {'type': 'B', 'clip_len': 8, 'interval': 4},  # between clips
            {'type': 'Resize', 'scale': (56, 56), 'keep_ratio': False},
        ]
    )
    enlarge(cfg, LARGER)
    assert steps(cfg)[0] == {'type': 'A', 'clip_len': 16, 'frame_interval': 2}
    assert steps(cfg)[1] == {'type': 'B', 'clip_len': 16, 'interval': 4}
    assert steps(cfg)[2].scale == (112, 112)


def test_width_and_epochs() -> None:
    crop = {'type': 'CenterCrop', 'size': 56}
    head, student = {'in_channels': 64}, {'backbone': {'base_channels': 16}}
    cfg = config([crop], cls_head=head, student=student)
    cfg.test_dataloader = {'dataset': {'pipeline': [dict(crop)]}}
    enlarge(cfg, LARGER)
    assert cfg.model.backbone.base_channels == 32
    assert cfg.model.student.backbone.base_channels == 64
    assert cfg.model.cls_head.in_channels == 256
    assert (cfg.train_cfg.max_epochs, cfg.param_scheduler[0]['T_max']) == (60, 60)
    assert cfg.test_dataloader.dataset.pipeline[0]['size'] == 112


def test_nothing_asked_changes_nothing() -> None:
    cfg = config([{'type': 'A', 'clip_len': 8, 'frame_interval': 4}])
    enlarge(cfg, Larger())
    assert cfg.to_dict() == config([*steps(cfg)]).to_dict()


def test_a_pipeline_without_a_size_is_an_error() -> None:
    with pytest.raises(UserError, match='no Resize or crop'):
        enlarge(config([{'type': 'A'}]), LARGER)
