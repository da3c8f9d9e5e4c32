"""BodyPix, a small parser of 24 body parts: its network, its weights, the parser."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.human_parsers.frame_fit import Size, stretched
from mmkd.models.human_parsers.human_parser import HumanParser, with_background
from mmkd.models.human_parsers.weights import build_network, read_tensors
from mmkd.part_labels import get_label_set
from mmkd.registry import MODELS

_REPOSITORY = 'https://github.com/keijiro/BodyPixSentis'
# Output channels of the 13 pointwise convolutions.
_WIDTHS = (32, 64, 64, 128, 128, *(256,) * 8)
# Depthwise convolutions of stride 2; the last one only at output stride 16.
_STRIDED = ('conv03', 'conv07', 'conv11')
_HEADS = {
    'segments': ('conv27', 1),
    'part_heatmaps': ('conv28', 24),
    'long_offsets': ('conv29', 34),
    'heatmaps': ('conv30', 17),
    'part_offsets': ('conv31', 48),
    'displacement_fwd': ('conv32', 32),
    'displacement_bwd': ('conv33', 32),
    'short_offsets': ('conv34', 34),
}


class BodyPixNetwork(nn.Module):
    """MobileNetV1 of half width, 27 convolutions with ReLU6, and eight 1x1 heads.

    Both output strides share their weights: at stride 8 the third strided layer keeps
    the size, and the depthwise layers behind it are dilated by 2.

    Source: https://arxiv.org/abs/1704.04861, and the ONNX files of
    https://github.com/keijiro/BodyPixSentis (Apache-2.0, after Google's BodyPix).

    Args:
        output_stride: Input pixels from one answer to the next. Defaults to 16.
    """

    def __init__(self, output_stride: Literal[8, 16] = 16) -> None:
        super().__init__()
        self.conv00 = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        inputs, dilation = 16, 1
        for number, outputs in enumerate(_WIDTHS):
            depthwise, pointwise = (f'conv{2 * number + i:02}' for i in (1, 2))
            kept = depthwise == _STRIDED[-1] and output_stride == 8
            stride = 2 if depthwise in _STRIDED and not kept else 1
            layer = nn.Conv2d(
                inputs, inputs, 3, stride, dilation, dilation, groups=inputs
            )
            self.add_module(depthwise, layer)
            self.add_module(pointwise, nn.Conv2d(inputs, outputs, 1))
            dilation = 2 if kept else dilation
            inputs = outputs
        for name, channels in _HEADS.values():
            self.add_module(name, nn.Conv2d(inputs, channels, 1))

    def forward(self, x: Tensor, heads: Iterable[str] = _HEADS) -> dict[str, Tensor]:
        """Return the heads' answers, ``(F, C, h, w)`` each, before any sigmoid.

        Args:
            x: ``(F, 3, H, W)``, RGB in -1..1. The official numbers come out for sides
                of the form ``k * output_stride + 1``; then ``h = k + 1``.
            heads: Which heads are wanted. Defaults to all eight.
        """
        for number in range(2 * len(_WIDTHS) + 1):
            x = functional.relu6(self.get_submodule(f'conv{number:02}')(x))
        answers = {name: self.get_submodule(_HEADS[name][0])(x) for name in heads}
        if 'part_offsets' in answers:
            answers['part_offsets'] = answers['part_offsets'].clamp(0, 1)
        return answers


def read_convolutions(path: Path) -> dict[str, Tensor]:
    """Return ``conv00.weight`` (OIHW), ``conv00.bias``, ... of an ONNX file, in order.

    The output stride is not in the weights: both published files hold the same ones.

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


@MODELS.register_module()
class BodyPix(HumanParser):
    """BodyPix, MobileNetV1 x0.50: 24 body parts of all persons in a frame. Small.

    The network says how likely a person is at a position, and a score for each part.
    Ours: background = 1 - person, part = person x softmax of the part scores.

    Source: https://github.com/tensorflow/tfjs-models/tree/master/body-pix; weights
    from https://github.com/keijiro/BodyPixSentis (both Apache-2.0).

    Args:
        checkpoint: The ``.onnx`` file of either stride as published (needs the package
            onnx), or a ``.npz`` or ``.pth`` with its convolutions in order,
            ``conv00.weight`` (OIHW), ``conv00.bias`` ... ``conv34.bias``; or
            ``'random'``.
        output_stride: 16, or 8 (finer, about twice the cost). Defaults to 16.
        size: Longer side that a frame is resized to, in pixels; of both sides the
            nearest ``k * output_stride + 1`` is taken. Defaults to 257.
        step: Pixels of the resized frame per cell of the maps. Defaults to 4.

    Raises:
        UserError: If the checkpoint is not there or does not fit, or the stride is
            another one.

    Example:
        >>> weights = 'data/teachers/bodypix/weights.npz'
        >>> parser = dict(type='mmkd.BodyPix', checkpoint=weights)
        >>> finer = dict(type='mmkd.BodyPix', checkpoint=weights, output_stride=8)
    """

    network: BodyPixNetwork

    def __init__(
        self,
        checkpoint: str,
        output_stride: Literal[8, 16] = 16,
        size: int = 257,
        step: int = 4,
    ) -> None:
        if output_stride not in (8, 16):
            raise UserError(
                f'BodyPix has no output stride {output_stride}', 'Take 8 or 16.'
            )
        network = build_network(
            lambda: BodyPixNetwork(output_stride),
            checkpoint,
            _REPOSITORY,
            'BodyPix',
            read_convolutions if checkpoint.endswith('.onnx') else read_tensors,
        )
        settings = {'output_stride': output_stride, 'size': size, 'step': step}
        super().__init__(get_label_set('bodypix'), settings, network)
        self.output_stride = output_stride
        self.size = size
        self.step = step

    def probabilities(self, frames: Tensor) -> Tensor:
        """Return ``(F, 25, h, w)``; the longer side has about ``size / step`` cells."""
        frame = (frames.shape[-2], frames.shape[-1])
        fit = stretched(frame, self.input_size(frame))
        x = fit.to_input(frames.float()) / 127.5 - 1
        answers = self.network(x, ('segments', 'part_heatmaps'))
        # Before the sigmoid, where its scores are linear.
        person, parts = (
            fit.to_frame(score, self.output_stride, self.step)
            for score in answers.values()
        )
        return with_background(person.sigmoid(), parts.softmax(dim=1))

    def input_size(self, frame: Size) -> Size:
        """Return the height and width that frames of a height and width get."""
        scale = self.size / max(frame)
        height, width = (
            max(1, round((side * scale - 1) / self.output_stride)) for side in frame
        )
        return height * self.output_stride + 1, width * self.output_stride + 1
