import torch

from mmkd.models.backbones.convolutions import conv_norm_relu


def test_keeps_the_size_and_pytorchs_initialisation():
    torch.manual_seed(0)
    layer = conv_norm_relu(3, 4, (1, 7, 3), bias=True)
    torch.manual_seed(0)
    plain = torch.nn.Conv3d(3, 4, (1, 7, 3), padding=(0, 3, 1))
    x = torch.randn(2, 3, 4, 9, 9)
    torch.testing.assert_close(layer.conv(x), plain(x), rtol=0, atol=0)
    assert layer(x).shape == (2, 4, 4, 9, 9)
    assert layer(x).min() == 0


def test_norm_cfg():
    layer = conv_norm_relu(3, 4, 1, norm_cfg={'type': 'BN3d', 'momentum': 0.5})
    assert layer.bn.momentum == 0.5
