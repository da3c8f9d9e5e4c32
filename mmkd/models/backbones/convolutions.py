"""3D convolutions: with normalisation and ReLU, and factored into space and time."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from mmcv.cnn import build_norm_layer
from torch import Tensor, nn


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


def equal_parameter_width(
    in_channels: int, out_channels: int, kernel_size: Sequence[int]
) -> int:
    """Return the mid width at which the factored convolution has no more parameters.

    ``floor(t d^2 in out / (d^2 in + t out))`` of https://arxiv.org/abs/1711.11248,
    section 3.5, with the size ``(t, d, d)`` of THIS kernel.
    """
    time, height, width = kernel_size
    spatial = height * width * in_channels
    return (time * spatial * out_channels) // (spatial + time * out_channels)


class Conv2Plus1d(nn.Module):
    """Spatial convolution, batch normalisation, ReLU, temporal convolution.

    A drop-in for ``nn.Conv3d`` in MMCV's ``ConvModule``. MMAction2's ``Conv2plus1d``
    computes its mid width as if every kernel were three frames long, which is wrong
    for the 1x1x1 shortcuts of the clip-order family; else the two agree, even in names.
    Source: R(2+1)D, https://arxiv.org/abs/1711.11248.

    Args:
        in_channels: As in ``nn.Conv3d``, and so on down to ``padding``.
        dilation: Must be 1 on all axes.
        groups: Must be 1.
        bias: Whether both convolutions have a bias.
        mid_channels: Width between the two; None for :func:`equal_parameter_width`.
        norm_cfg: The normalisation between the two.

    Raises:
        ValueError: If ``dilation`` or ``groups`` is not 1.
    """

    transposed = False
    output_padding = (0, 0, 0)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = False,
        mid_channels: int | None = None,
        norm_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = _triple(kernel_size), _triple(stride)
        self.padding, self.dilation = _triple(padding), _triple(dilation)
        self.groups = groups
        if groups != 1 or self.dilation != (1, 1, 1):
            raise ValueError('Conv2Plus1d knows neither groups nor dilation')
        mid = mid_channels or equal_parameter_width(
            in_channels, out_channels, self.kernel_size
        )
        self.conv_s = self._conv(in_channels, mid, (False, True, True), bias)
        self.bn_s = build_norm_layer(norm_cfg or {'type': 'BN3d'}, mid)[1]
        self.relu = nn.ReLU(inplace=True)
        self.conv_t = self._conv(mid, out_channels, (True, False, False), bias)

    def _conv(
        self, in_channels: int, out_channels: int, axes: tuple[bool, ...], bias: bool
    ) -> nn.Conv3d:
        """Return the part of the convolution that acts on the marked axes."""

        def part(values: tuple[int, ...], neutral: int) -> tuple[int, ...]:
            return tuple(v if a else neutral for v, a in zip(values, axes, strict=True))

        return nn.Conv3d(
            in_channels,
            out_channels,
            part(self.kernel_size, 1),  # type: ignore[arg-type]
            part(self.stride, 1),  # type: ignore[arg-type]
            part(self.padding, 0),  # type: ignore[arg-type]
            bias=bias,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved map; shapes as in ``nn.Conv3d``."""
        return self.conv_t(self.relu(self.bn_s(self.conv_s(x))))


def _triple(value: int | Sequence[int]) -> tuple[int, ...]:
    return (value,) * 3 if isinstance(value, int) else tuple(value)
