import torch
from torch import nn

from mmkd.distill import ConvConnector, LinearConnector, MLPConnector


def test_linear() -> None:
    connector = LinearConnector(4, 6)
    x = torch.randn(3, 4)
    torch.testing.assert_close(connector(x), x @ connector.weight.T + connector.bias)


def test_convolution_is_the_same_linear_map_at_every_position() -> None:
    connector = ConvConnector(4, 6)
    x = torch.randn(2, 4, 2, 3, 3)
    linear = connector.weight[:, :, 0, 0, 0]
    expected = linear @ x[1, :, 1, 2, 0] + connector.bias
    torch.testing.assert_close(connector(x)[1, :, 1, 2, 0], expected)


def test_mlp_has_one_hidden_layer() -> None:
    connector = MLPConnector(4, 6, 5)
    widths = [m.out_features for m in connector.modules() if isinstance(m, nn.Linear)]
    assert widths == [5, 6]
    assert MLPConnector(4, 6).layers[0].out_features == 4
    assert connector(torch.randn(3, 4)).shape == (3, 6)
