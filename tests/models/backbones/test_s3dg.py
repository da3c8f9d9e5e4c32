import pytest
import torch

from mmkd.errors import UserError
from mmkd.models.backbones import S3DG
from mmkd.zoo.base_networks import build_backbone
from mmkd.zoo.convert.renaming import PACE_S3DG, RSPNET_S3DG
from tests.golden import load_golden
from tests.models.backbones.golden_backbone import check_backbone, load_official


def test_equals_the_network_of_pace():
    golden = load_golden('s3dg_pace')
    backbone = build_backbone('s3dg')
    load_official(backbone, golden, PACE_S3DG)
    stages = {
        'conv1': 'stem',
        'conv_2c': 'conv2c.temporal',
        'gating': 'conv2c.gate',
        'mixed_3c': 'mixed_3c',
        'mixed_4f': 'mixed_4f',
    }
    check_backbone(backbone, golden, stages)


def test_equals_the_network_of_rspnet():
    golden = load_golden('s3dg_rspnet')
    backbone = build_backbone('s3dg_rspnet')
    load_official(backbone, golden, RSPNET_S3DG)
    stages = {
        'feature.sepConv1': 'stem',
        'feature.sep_conv2': 'conv2c',
        'feature.sepInc_3c': 'mixed_3c',
        'feature.sepInc_4f': 'mixed_4f',
    }
    check_backbone(backbone, golden, stages)


def test_normalisation_of_rspnet_reaches_every_layer():
    backbone = build_backbone('s3dg_rspnet')
    norms = [m for m in backbone.modules() if isinstance(m, torch.nn.BatchNorm3d)]
    assert len(norms) == 2 + 1 + 2 + 9 * 8
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 1e-3)}


@pytest.mark.parametrize(('stem', 'seen'), [('dense', True), ('separable', False)])
def test_only_the_dense_stem_sees_the_odd_frames(stem, seen):
    torch.manual_seed(0)
    backbone = S3DG(stem=stem, base_channels=8).eval()
    clip = torch.randn(1, 3, 8, 32, 32)
    other = clip.clone()
    other[:, :, 1::2] = 0
    assert torch.equal(backbone(clip), backbone(other)) is not seen


def test_width():
    backbone = S3DG(base_channels=16)
    assert backbone.out_channels == 256
    assert backbone.mixed_4b.out_channels == 128
    assert backbone(torch.zeros(2, 3, 8, 32, 32)).shape == (2, 256, 1, 1, 1)


def test_the_smallest_width():
    assert S3DG(base_channels=4).out_channels == 64
    with pytest.raises(UserError, match='base_channels=3 leaves a branch'):
        S3DG(base_channels=3)
