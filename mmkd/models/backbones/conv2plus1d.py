"""A 3D convolution factored into a spatial and a temporal one."""

from collections.abc import Sequence
from typing import Any

from mmcv.cnn import build_norm_layer
from torch import Tensor, nn


def equal_parameter_width(
    in_channels: int, out_channels: int, kernel_size: Sequence[int]
) -> int:
    """Return the mid width at which the factored convolution has no more parameters.

    ``floor(t d^2 in out / (d^2 in + t out))`` of https://arxiv.org/abs/1711.11248,
    section 3.5, with the temporal size ``t`` and the spatial size ``d`` of THIS kernel.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        kernel_size: ``(t, d, d)``.
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
        in_channels: As in ``nn.Conv3d``.
        out_channels: As in ``nn.Conv3d``.
        kernel_size: As in ``nn.Conv3d``; an int counts for all three axes.
        stride: As in ``nn.Conv3d``.
        padding: As in ``nn.Conv3d``.
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
        self,
        in_channels: int,
        out_channels: int,
        axes: tuple[bool, bool, bool],
        bias: bool,
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
