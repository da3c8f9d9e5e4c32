import torch

from mmkd.models.backbones import C3D
from mmkd.zoo.convert.renaming import VCOP_C3D
from tests.golden import load_golden
from tests.models.backbones.golden_backbone import check_backbone, load_official

STAGES = {'relu1': 'conv1a', 'relu2': 'conv2a', 'relu3b': 'conv3b', 'relu4b': 'conv4b'}


def test_equals_the_official_network():
    golden = load_golden('c3d_vcop')
    backbone = C3D()
    load_official(backbone, golden, VCOP_C3D)
    check_backbone(backbone, golden, STAGES)
    assert sum(p.numel() for p in backbone.parameters()) == 27_661_440
    assert backbone.out_channels == 512


def test_last_map_of_the_usual_clip():
    with torch.device('meta'):
        last = C3D()(torch.empty(2, 3, 16, 112, 112))
    assert last.shape == (2, 512, 2, 7, 7)


def test_width_and_depth():
    small = C3D(base_channels=4, stage_blocks=(1, 2, 1))
    assert [n for n, _ in small.named_children()] == [
        'conv1a',
        'conv2a',
        'conv2b',
        'conv3a',
    ]
    assert small.out_channels == 16
    assert small(torch.zeros(1, 3, 4, 8, 8)).shape == (1, 16, 2, 2, 2)


def test_initialisation_is_pytorchs_unless_asked_for():
    torch.manual_seed(0)
    built = C3D(base_channels=8)
    built.init_weights()
    torch.manual_seed(0)
    plain = torch.nn.Conv3d(3, 8, 3, padding=1)
    torch.testing.assert_close(built.conv1a.conv.weight, plain.weight, rtol=0, atol=0)
    ones = C3D(
        base_channels=8, init_cfg={'type': 'Constant', 'val': 1, 'layer': 'Conv3d'}
    )
    ones.init_weights()
    assert (ones.conv5b.conv.weight == 1).all()
