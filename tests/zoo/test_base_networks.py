import pytest

from mmkd.errors import UserError
from mmkd.models.backbones import R2Plus1D
from mmkd.zoo.base_networks import build_backbone, model_configs
from tests.shared_files import ROOT


def test_builds_the_network_of_the_config():
    backbone = build_backbone('r2plus1d_tiny')
    assert type(backbone) is R2Plus1D
    assert backbone.out_channels == 128
    assert model_configs() == ROOT / 'configs/_base_/models'


def test_unknown_network():
    with pytest.raises(UserError, match=r"no network 'r4d'\. Choose one of c3d, "):
        build_backbone('r4d')
