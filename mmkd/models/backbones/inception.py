"""The parts of S3D-G: inception block, gate, separable convolution and pooling."""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmkd.models.backbones.convolutions import conv_norm_relu

NormCfg = dict[str, Any] | None


class SelfGating(nn.Module):
    """Scale each channel by a sigmoid of a linear map of all channels' means.

    Section 3.4 of https://arxiv.org/abs/1712.04851.

    Args:
        channels: Channels of the map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated map; shape ``(N, C, T, H, W)``."""
        weights = self.fc(x.mean(dim=(2, 3, 4))).sigmoid()
        return weights[:, :, None, None, None] * x


def separable(
    in_channels: int, out_channels: int, size: int, stride: int, norm_cfg: NormCfg
) -> OrderedDict[str, nn.Module]:
    """Return a spatial and then a temporal convolution, each with norm and ReLU.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels between and after the two.
        size: Size of the kernel on each axis.
        stride: Stride on ALL axes, taken by the spatial convolution, as RSPNet's stem.
        norm_cfg: The normalisation; None for ``BN3d``.
    """
    spatial = conv_norm_relu(
        in_channels, out_channels, (1, size, size), stride, False, norm_cfg
    )
    temporal = conv_norm_relu(
        out_channels, out_channels, (size, 1, 1), 1, False, norm_cfg
    )
    return OrderedDict(spatial=spatial, temporal=temporal)


class Inception(nn.Module):
    """Four branches side by side: 1x1x1; two separable 3x3x3; pooled 1x1x1.

    Source: S3D-G, https://arxiv.org/abs/1712.04851.

    Args:
        in_channels: Channels that come in.
        widths: Branch 0; branch 1 reduced, full; branch 2 reduced, full; branch 3.
        gated_branches: Numbers of the branches with a gate behind them.
        norm_cfg: The normalisation; None for ``BN3d``.

    Attributes:
        out_channels (int): Sum of the four branches' widths.
    """

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int],
        gated_branches: Collection[int],
        norm_cfg: NormCfg = None,
    ) -> None:
        super().__init__()
        full = (widths[0], widths[2], widths[4], widths[5])
        self.out_channels = sum(full)

        def pointwise(width: int) -> nn.Module:
            return conv_norm_relu(in_channels, width, 1, 1, False, norm_cfg)

        def reduced(small: int, width: int) -> dict[str, nn.Module]:
            layers = separable(small, width, 3, 1, norm_cfg)
            return {'reduce': pointwise(small), **layers}

        branches: tuple[dict[str, nn.Module], ...] = (
            {'conv': pointwise(full[0])},
            reduced(widths[1], full[1]),
            reduced(widths[3], full[2]),
            {'pool': nn.MaxPool3d(3, stride=1, padding=1), 'conv': pointwise(full[3])},
        )
        for number, layers in enumerate(branches):
            if number in gated_branches:
                layers['gate'] = SelfGating(full[number])
            self.add_module(f'branch{number}', nn.Sequential(OrderedDict(layers)))

    def forward(self, x: Tensor) -> Tensor:
        """Return the channels of all branches; shape ``(N, out_channels, T, H, W)``."""
        return torch.cat([branch(x) for branch in self.children()], dim=1)


class SamePool3d(nn.Module):
    """Max-pooling of maps that are not negative, padded behind the data.

    Zeros are put behind the data, ``kernel - stride`` of them shared between both sides
    with the larger share behind, and the size is rounded up. That is TensorFlow's SAME
    only where the size is a multiple of the stride; the released S3D-G
    (https://arxiv.org/abs/1712.04851) does it always.

    Args:
        kernel_size: Size on each axis.
        stride: Stride on each axis.
    """

    def __init__(self, kernel_size: Sequence[int], stride: Sequence[int]) -> None:
        super().__init__()
        self.kernel_size, self.stride = tuple(kernel_size), tuple(stride)
        self.padding: list[int] = []
        # functional.pad counts axes from the last one.
        for size, step in zip(self.kernel_size[::-1], self.stride[::-1], strict=True):
            surplus = max(size - step, 0)
            self.padding += [surplus // 2, surplus - surplus // 2]

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled map of ``x``, shape ``(N, C, T, H, W)``."""
        padded = functional.pad(x, self.padding)
        return functional.max_pool3d(
            padded, self.kernel_size, self.stride, ceil_mode=True
        )
