import pytest
import torch
from mmaction.models.backbones.resnet3d import ResNet3d
from mmengine.model import BaseModule

from mmkd.models.backbones import R3D
from mmkd.zoo.base_networks import build_backbone
from mmkd.zoo.convert.renaming import RSPNET_RESNET, TORCHVISION, VCOP_RESNET
from tests.golden import load_golden
from tests.models.backbones.golden_backbone import check_backbone, load_official

VCOP = {
    'depth': 18,
    'stage_blocks': (1, 1, 1, 1),
    'pretrained2d': False,
    'with_pool1': False,
    'with_pool2': False,
    'temporal_strides': (1, 2, 2, 2),
    'zero_init_residual': False,
}
LAYERS = {f'layer{n}': f'layer{n}' for n in (1, 2, 3)}
STAGES = {'relu1': 'conv1', 'conv2': 'layer1', 'conv3': 'layer2', 'conv4': 'layer3'}


@pytest.mark.parametrize('network', [R3D, ResNet3d])
def test_equals_the_official_network(network):
    # The stock class as well: that is the proof that R3D is MMAction2's ResNet3d.
    golden = load_golden('r3d_vcop')
    backbone = network(**VCOP)
    load_official(backbone, golden, VCOP_RESNET)
    check_backbone(backbone, golden, STAGES)
    assert sum(p.numel() for p in backbone.parameters()) == 14_361_792
    assert backbone.feat_dim == 512


@pytest.mark.slow
def test_equals_the_3d_resnet_of_rspnet():
    golden = load_golden('resnet18_rspnet')
    backbone = build_backbone('resnet18_rspnet')
    load_official(backbone, golden, RSPNET_RESNET)
    check_backbone(backbone, golden, {'maxpool': 'maxpool', **LAYERS})


@pytest.mark.parametrize(
    'name', [pytest.param('r3d_18', marks=pytest.mark.slow), 'mc3_18']
)
def test_the_stock_class_equals_torchvision(name):
    golden = load_golden(f'{name}_torchvision')
    backbone = build_backbone(name)
    assert type(backbone) is ResNet3d
    load_official(backbone, golden, TORCHVISION)
    check_backbone(backbone, golden, {'stem': 'conv1', **LAYERS})


def test_last_map_of_the_usual_clip():
    backbone = R3D(**VCOP).to('meta')
    assert backbone.out_channels == 512
    assert backbone(torch.empty(2, 3, 16, 112, 112, device='meta')).shape == (
        2,
        512,
        2,
        7,
        7,
    )


class Wrapper(BaseModule):
    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone


def deviations(backbone):
    """Deviation of each convolution's weights times the root of its fan-in."""
    return torch.stack(
        [
            conv.weight.std() * conv.weight[0].numel() ** 0.5
            for conv in backbone.modules()
            if isinstance(conv, torch.nn.Conv3d)
        ]
    )


def test_starts_from_pytorchs_values():
    backbone = R3D(base_channels=16, **VCOP)
    before = {k: v.clone() for k, v in backbone.state_dict().items()}
    Wrapper(backbone).init_weights()
    assert all((before[k] == v).all() for k, v in backbone.state_dict().items())
    # Uniform on +-1/sqrt(fan-in): deviation 1/sqrt(3 fan-in).
    torch.testing.assert_close(
        deviations(backbone), torch.full((12,), 3**-0.5), rtol=0.05, atol=0
    )


def test_init_cfg_is_heeded():
    kaiming = {'type': 'Kaiming', 'layer': 'Conv3d', 'mode': 'fan_in'}
    backbone = R3D(base_channels=16, init_cfg=kaiming, **VCOP)
    Wrapper(backbone).init_weights()
    torch.testing.assert_close(
        deviations(backbone), torch.full((12,), 2**0.5), rtol=0.05, atol=0
    )


def test_pretrained_is_heeded(tmp_path):
    source = R3D(base_channels=4, **VCOP)
    torch.save({'state_dict': source.state_dict()}, tmp_path / 'source.pth')
    loaded = R3D(base_channels=4, pretrained=str(tmp_path / 'source.pth'), **VCOP)
    loaded.init_weights()
    assert (
        loaded.layer4[0].conv2.conv.weight == source.layer4[0].conv2.conv.weight
    ).all()


def test_temporal_pooling_of_the_stem():
    backbone = R3D(base_channels=4, pool1_kernel_t=3, pool1_stride_t=2, depth=18)
    x = torch.randn(1, 4, 8, 6, 6)
    expected = torch.nn.functional.max_pool3d(x, 3, stride=2, padding=1)
    assert torch.equal(backbone.maxpool(x), expected)


def test_mode_setters_return_the_network():
    backbone = R3D(base_channels=4, frozen_stages=1, **VCOP)
    assert backbone.eval() is backbone
    assert backbone.train() is backbone
    assert not backbone.layer1.training and backbone.layer2.training
