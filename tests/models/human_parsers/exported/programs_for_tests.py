"""Networks to export: one 1x1 convolution, as TorchScript and as ONNX."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn


class Quarter(nn.Module):
    """Two outputs: zeros, and part logits of 4 x 4 averages."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, classes, 4, stride=4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.zeros(1), self.conv(x)


def torchscript(path: Path, classes: int = 7) -> Quarter:
    network = Quarter(classes).eval()
    torch.jit.trace(network, torch.rand(1, 3, 8, 8)).save(str(path))
    return network


def onnx_file(path: Path, classes: int = 7, batch: int | str = 'batch') -> Quarter:
    """Write the same network by hand, which needs no exporter."""
    from onnx import TensorProto, helper, numpy_helper, save

    network = Quarter(classes).eval()
    nodes = [
        helper.make_node('Constant', [], ['none'], value_float=0.0),
        helper.make_node('Conv', ['frames', 'w', 'b'], ['parts'], strides=[4, 4]),
    ]
    weights = [
        numpy_helper.from_array(value.detach().numpy(), name)
        for name, value in zip('wb', network.conv.parameters(), strict=True)
    ]
    shape = [batch, 3, 'h', 'w']
    graph = helper.make_graph(
        nodes,
        'quarter',
        [helper.make_tensor_value_info('frames', TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info('none', TensorProto.FLOAT, []),
            helper.make_tensor_value_info(
                'parts', TensorProto.FLOAT, [batch, classes, 'i', 'j']
            ),
        ],
        weights,
    )
    opset = [helper.make_opsetid('', 17)]
    save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    return network


def expected_maps(network: Quarter, pixels: np.ndarray | Tensor) -> Tensor:
    """Return the softmax over the parts for ready input ``(F, 3, H, W)``."""
    with torch.no_grad():
        return network(torch.as_tensor(pixels))[1].softmax(1)
