"""The block that most networks repeat: convolution, normalisation, ReLU."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from mmcv.cnn import build_norm_layer
from torch import nn


def conv_norm_relu(
    in_channels: int,
    out_channels: int,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = 1,
    bias: bool = False,
    norm_cfg: dict[str, Any] | None = None,
) -> nn.Sequential:
    """Return a 3D convolution that keeps the size, a normalisation and a ReLU.

    Plain PyTorch modules with PyTorch's initialisation, unlike MMCV's ``ConvModule``,
    which draws Kaiming values as soon as it is built.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        kernel_size: Odd size of the kernel, padded by half of it.
        stride: Stride of the convolution.
        bias: Whether the convolution has a bias.
        norm_cfg: The normalisation; None for ``BN3d``.
    """
    size = (kernel_size,) * 3 if isinstance(kernel_size, int) else tuple(kernel_size)
    conv = nn.Conv3d(
        in_channels,
        out_channels,
        size,  # type: ignore[arg-type]
        stride,  # type: ignore[arg-type]
        padding=tuple(s // 2 for s in size),  # type: ignore[arg-type]
        bias=bias,
    )
    bn = build_norm_layer(norm_cfg or {'type': 'BN3d'}, out_channels)[1]
    return nn.Sequential(OrderedDict(conv=conv, bn=bn, relu=nn.ReLU(inplace=True)))
