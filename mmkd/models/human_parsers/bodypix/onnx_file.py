"""Take BodyPix's weights out of the ONNX files that it is published as."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mmkd.errors import UserError


def read_convolutions(path: Path) -> dict[str, Tensor]:
    """Return weights and biases of the convolutions of an ONNX file, in its order.

    The output stride is not in the weights: both published files hold the same ones.

    Args:
        path: The file.

    Returns:
        ``conv00.weight`` (OIHW), ``conv00.bias``, ``conv01.weight`` ...

    Raises:
        UserError: If the package ``onnx`` is not installed, or this is no such file.
    """
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise UserError(
            f'{path} needs the package onnx, which is not installed',
            'pip install onnx, or give an .npz.',
        ) from error
    try:
        graph = onnx.load(str(path)).graph
        stored = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        nodes = [node for node in graph.node if node.op_type == 'Conv']
        return {
            f'conv{number:02}.{what}': torch.from_numpy(np.array(stored[name]))
            for number, node in enumerate(nodes)
            for what, name in zip(('weight', 'bias'), node.input[1:], strict=True)
        }
    except Exception as error:  # protobuf's own, and a graph of another form
        raise UserError(
            f'{path} is no ONNX file with plain convolutions', 'Fetch it again.'
        ) from error
