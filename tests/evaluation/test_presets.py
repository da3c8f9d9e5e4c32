"""The protocols' clips are the released ones, and what they ask of a config holds."""

import functools

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.dataset import Compose

from mmkd.errors import UserError
from mmkd.evaluation import PRESETS
from mmkd.evaluation.features import POOLINGS
from tests.shared_files import ROOT

FITTING = {
    'vcop': ['c3d_ucf101_vcop', 'r3d_hmdb51_vcop', 'r2plus1d_ucf101_vcop'],
    'pcl': ['r3d_ucf101_pcl', 'r3d_hmdb51_pcl'],
    'rspnet': ['r2plus1d_ucf101', 'c3d_hmdb51_rspnet', 'resnet18_ucf101'],
    'ours': ['r3d_ucf101', 'r3d_ucf101_vcop', 's3dg_hmdb51'],
}


@functools.cache
def config(name: str) -> Config:
    return Config.fromfile(ROOT / f'configs/finetune/{name}.py')


@pytest.mark.parametrize('name', sorted(PRESETS))
def test_the_configs_of_a_protocol_fit_it(name: str) -> None:
    preset = PRESETS[name]
    for fitting in FITTING[name]:
        preset.check(config(fitting), fine_tune=True)
    assert set(preset.pooling) <= set(POOLINGS) and preset.source and preset.lists


@pytest.mark.parametrize(
    ('name', 'wrong'),
    [
        ('vcop', 'c3d_ucf101'),
        ('pcl', 'r3d_ucf101_vcop'),
        ('rspnet', 'r3d_ucf101_vcop'),
    ],
)
def test_others_are_refused_with_advice(name: str, wrong: str) -> None:
    with pytest.raises(UserError, match=rf'protocol {name} has .*Take configs/finetun'):
        PRESETS[name].check(config(wrong), fine_tune=True)


def test_frozen_features_ask_for_less() -> None:
    PRESETS['vcop'].check(config('c3d_ucf101'), fine_tune=False)
    with pytest.raises(UserError, match='residual=True'):
        PRESETS['pcl'].check(config('c3d_ucf101'), fine_tune=False)


@pytest.mark.parametrize(
    ('name', 'like'), [('vcop', 'r3d_ucf101_vcop'), ('rspnet', 'r3d_ucf101')]
)
def test_the_clips_are_those_of_the_configs(name: str, like: str) -> None:
    expected = config(like).test_dataloader.dataset.pipeline
    ours = [dict(step) for step in PRESETS[name].pipeline or ()]
    assert ours == [step.to_dict() for step in expected]


def test_ten_clips_reach_from_the_first_frame_to_the_last() -> None:
    pipeline = PRESETS['rspnet'].pipeline or ()
    sampler = Compose([dict(pipeline[1])])
    found = sampler({'total_frames': 116, 'start_index': 0})
    starts = found['frame_inds'].reshape(10, 16)[:, 0]
    assert starts.tolist() == np.round(np.linspace(0, 100, 10)).tolist()
