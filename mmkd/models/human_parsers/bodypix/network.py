"""The network of BodyPix: a narrow MobileNet and eight linear heads."""

from collections.abc import Iterable
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

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
            stride = 2 if depthwise in _STRIDED else 1
            if depthwise == _STRIDED[-1] and output_stride == 8:
                stride = 1
            layer = nn.Conv2d(
                inputs, inputs, 3, stride, dilation, dilation, groups=inputs
            )
            self.add_module(depthwise, layer)
            self.add_module(pointwise, nn.Conv2d(inputs, outputs, 1))
            if depthwise == _STRIDED[-1] and output_stride == 8:
                dilation = 2
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
