import pytest
import torch
from torch import nn

from mmkd.models.backbones.convolutions import Conv2Plus1d, equal_parameter_width


@pytest.mark.parametrize(
    ('in_channels', 'out_channels', 'kernel', 'width'),
    [
        (3, 64, (3, 7, 7), 83),
        (64, 64, (3, 3, 3), 144),
        (64, 128, (3, 3, 3), 230),
        (128, 128, (3, 3, 3), 288),
        (64, 128, (1, 1, 1), 42),
        (128, 256, (1, 1, 1), 85),
        (256, 512, (1, 1, 1), 170),
        (256, 512, (3, 3, 3), 921),
    ],
)
def test_mid_width(in_channels, out_channels, kernel, width):
    assert equal_parameter_width(in_channels, out_channels, kernel) == width


def test_no_more_parameters_than_the_dense_convolution_and_one_wider_would_have():
    def parameters(width):
        layer = Conv2Plus1d(20, 48, 3, mid_channels=width)
        return layer.conv_s.weight.numel() + layer.conv_t.weight.numel()

    dense = nn.Conv3d(20, 48, 3, bias=False).weight.numel()
    width = equal_parameter_width(20, 48, (3, 3, 3))
    assert parameters(width) <= dense < parameters(width + 1)


def test_equals_the_four_layers_in_a_row():
    layer = Conv2Plus1d(3, 5, (3, 7, 7), stride=(2, 3, 3), padding=(1, 3, 3)).eval()
    x = torch.randn(2, 3, 6, 9, 12)
    spatial = nn.functional.conv3d(
        x, layer.conv_s.weight, stride=(1, 3, 3), padding=(0, 3, 3)
    )
    expected = nn.functional.conv3d(
        layer.bn_s(spatial).relu(),
        layer.conv_t.weight,
        stride=(2, 1, 1),
        padding=(1, 0, 0),
    )
    torch.testing.assert_close(layer(x), expected)
    assert layer(x).shape == (2, 5, 3, 3, 4)


@pytest.mark.parametrize('option', [{'groups': 2}, {'dilation': 2}])
def test_refuses_what_it_does_not_know(option):
    with pytest.raises(ValueError, match='neither groups nor dilation'):
        Conv2Plus1d(4, 4, 3, **option)
