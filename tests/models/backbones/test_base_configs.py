"""Every configs/_base_/models/*.py gives the network it names."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmkd.models.heads import output_width
from mmkd.registry import MODELS
from mmkd.zoo.base_networks import build_backbone, model_configs

PARAMETERS = {
    'c3d': 27_661_440,
    'r3d': 14_361_792,
    'r2plus1d': 14_365_303,
    's3dg': 9_125_072,
    's3dg_rspnet': 8_675_744,
    'resnet18_rspnet': 33_203_904,
    'r3d_18': 33_166_272,
    'mc3_18': 11_490_240,
    'r2plus1d_18': 31_300_125,
}
LAST_MAP = {
    's3dg': (2, 4, 4),
    's3dg_rspnet': (2, 3, 3),
    'resnet18_rspnet': (1, 4, 4),
    'mc3_18': (16, 7, 7),
}


def feature_channels(name):
    return Config.fromfile(model_configs() / f'{name}.py').feature_channels


@pytest.mark.parametrize('name', PARAMETERS)
def test_parameters_and_last_map(name):
    backbone, channels = build_backbone(name), feature_channels(name)
    assert sum(p.numel() for p in backbone.parameters()) == PARAMETERS[name]
    assert output_width(backbone) == channels
    backbone.to('meta')
    last = backbone(torch.empty(1, 3, 16, 112, 112, device='meta'))
    assert last.shape == (1, channels, *LAST_MAP.get(name, (2, 7, 7)))


@pytest.mark.parametrize('name', ['c3d_tiny', 'r3d_tiny', 'r2plus1d_tiny', 's3dg_tiny'])
def test_tiny_variants(name):
    backbone, channels = build_backbone(name), feature_channels(name)
    assert channels == output_width(backbone) == 128
    assert backbone(torch.zeros(2, 3, 8, 32, 32)).shape[:2] == (2, 128)


def test_no_config_is_left_out():
    names = {path.stem for path in model_configs().glob('*.py')}
    assert {n for n in names if not n.endswith('_tiny')} == PARAMETERS.keys()


@pytest.mark.parametrize('name', ['r3d_18', 'mc3_18', 'r2plus1d_18', 'resnet18_rspnet'])
def test_start_of_the_official_code(name):
    # Normal values of variance 2 / fan-out, as torchvision and 3D-ResNets draw them.
    config = Config.fromfile(model_configs() / f'{name}.py').model.backbone
    config.base_channels = 16
    with DefaultScope.overwrite_default_scope('mmaction'):
        backbone = MODELS.build(config)
    backbone.init_weights()
    for conv in backbone.modules():
        if isinstance(conv, torch.nn.Conv3d) and conv.weight.numel() > 5000:
            fan_out = conv.weight[:, 0].numel()
            assert float(conv.weight.var()) == pytest.approx(2 / fan_out, rel=0.12)
            assert float(conv.weight.abs().max() / conv.weight.std()) > 3.2
