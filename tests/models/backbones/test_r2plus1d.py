import pytest
import torch

from mmkd.models.backbones import R2Plus1D
from mmkd.models.backbones.convolutions import Conv2Plus1d
from mmkd.zoo.base_networks import build_backbone
from mmkd.zoo.convert.renaming import TORCHVISION_FACTORED, VCOP_RESNET
from tests.golden import load_golden
from tests.models.backbones.golden_backbone import check_backbone, load_official
from tests.models.backbones.test_r3d import LAYERS, STAGES, VCOP, deviations


def test_equals_the_official_network():
    golden = load_golden('r21d_vcop')
    backbone = R2Plus1D(**VCOP)
    load_official(backbone, golden, VCOP_RESNET)
    check_backbone(backbone, golden, STAGES)
    assert sum(p.numel() for p in backbone.parameters()) == 14_365_303


@pytest.mark.slow
def test_equals_torchvision():
    golden = load_golden('r2plus1d_18_torchvision')
    backbone = build_backbone('r2plus1d_18')
    load_official(backbone, golden, TORCHVISION_FACTORED)
    check_backbone(backbone, golden, {'stem': 'conv1', **LAYERS})


def test_mid_widths_follow_the_formula_for_each_convolution():
    backbone = R2Plus1D(**VCOP)
    widths = {
        name: module.conv_s.out_channels
        for name, module in backbone.named_modules()
        if isinstance(module, Conv2Plus1d)
    }
    assert widths == {
        'conv1.conv': 83,
        'layer1.0.conv1.conv': 144,
        'layer1.0.conv2.conv': 144,
        'layer2.0.conv1.conv': 230,
        'layer2.0.conv2.conv': 288,
        'layer2.0.downsample.conv': 42,
        'layer3.0.conv1.conv': 460,
        'layer3.0.conv2.conv': 576,
        'layer3.0.downsample.conv': 85,
        'layer4.0.conv1.conv': 921,
        'layer4.0.conv2.conv': 1152,
        'layer4.0.downsample.conv': 170,
    }


def test_last_map_of_the_usual_clip():
    backbone = R2Plus1D(**VCOP).to('meta')
    assert backbone.out_channels == 512
    last = backbone(torch.empty(2, 3, 16, 112, 112, device='meta'))
    assert last.shape == (2, 512, 2, 7, 7)


def test_width_and_depth():
    small = R2Plus1D(base_channels=8, **{**VCOP, 'stage_blocks': (1, 2, 1, 1)})
    assert small.out_channels == 64
    assert len(small.layer2) == 2
    assert small(torch.zeros(1, 3, 8, 32, 32)).shape == (1, 64, 1, 2, 2)


def test_starts_from_pytorchs_values():
    backbone = R2Plus1D(base_channels=32, **VCOP)
    backbone.init_weights()
    torch.testing.assert_close(
        deviations(backbone), torch.full((24,), 3**-0.5), rtol=0.1, atol=0
    )


def test_gradients_arrive_with_recomputed_activations():
    plain = R2Plus1D(base_channels=4, **VCOP).double()
    saving = R2Plus1D(base_channels=4, with_cp=True, **VCOP).double()
    saving.load_state_dict(plain.state_dict())
    x = torch.randn(2, 3, 8, 32, 32, dtype=torch.float64, requires_grad=True)
    for network in (plain, saving):
        network(x).square().sum().backward()
    torch.testing.assert_close(
        saving.layer4[0].conv1.conv.conv_s.weight.grad,
        plain.layer4[0].conv1.conv.conv_s.weight.grad,
    )
