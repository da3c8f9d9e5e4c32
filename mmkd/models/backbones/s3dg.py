"""S3D-G: separable 3D inception network with feature gating."""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Any, Literal

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.backbones.convolutions import conv_norm_relu
from mmkd.registry import MODELS

NormCfg = dict[str, Any] | None

WIDTHS = {
    '3b': (64, 96, 128, 16, 32, 32),
    '3c': (128, 128, 192, 32, 96, 64),
    '4b': (192, 96, 208, 16, 48, 64),
    '4c': (160, 112, 224, 24, 64, 64),
    '4d': (128, 128, 256, 24, 64, 64),
    '4e': (112, 144, 288, 32, 64, 64),
    '4f': (256, 160, 320, 32, 128, 128),
    '5b': (256, 160, 320, 32, 128, 128),
    '5c': (384, 192, 384, 48, 128, 128),
}
"""Per block: branch 0; branch 1 reduced, full; branch 2 reduced, full; branch 3."""

POOLS = {'3b': (1, 3, 3), '4b': (3, 3, 3), '5b': (2, 2, 2)}
"""Kernel of the max-pooling before the first block of a stage."""


@MODELS.register_module()
class S3DG(BaseModule):
    """S3D-G (https://arxiv.org/abs/1712.04851), the form of VideoPace or of RSPNet.

    The defaults are the form of VideoPace and auxSKD (9,125,072 parameters): a dense
    3x7x7 stem, gates on all branches, pooling padded as TensorFlow's SAME. RSPNet's
    (8,675,744 parameters) has a separable and gated stem, gates behind separable
    convolutions only, symmetric padding, and BatchNorm with eps and momentum 1e-3. Its
    stem strides over time with a kernel of one frame: it never sees the odd frames.

    Args:
        stem: ``'dense'``: one ungated 3x7x7 convolution; ``'separable'``: 1x7x7 with
            stride 2 on all axes, then 7x1x1, gated. Defaults to ``'dense'``.
        gated_branches: Numbers, 0 to 3, of the branches of each block with a gate.
            Defaults to all.
        pooling: ``'same'``: zeros behind the data and sizes rounded up;
            ``'symmetric'``: padding on both sides and sizes rounded down. Defaults to
            ``'same'``.
        base_channels: Width of the stem, at least 4; all other widths are in
            proportion. Defaults to 64.
        in_channels: Channels of the input. Defaults to 3.
        norm_cfg: The normalisation. Defaults to None: ``BN3d``.
        init_cfg: MMEngine's initialisation. Defaults to None: PyTorch's, as in both
            papers' code.

    Raises:
        UserError: If a branch of a block would have no channels at this width.

    Attributes:
        out_channels (int): Channels of the last map, 1024 at the default width.
        last_stage (list[str]): Names of the modules of the last stage, in order.

    Example:
        >>> import torch
        >>> net = S3DG(base_channels=4)
        >>> net(torch.zeros(2, 3, 8, 32, 32)).shape
        torch.Size([2, 64, 1, 1, 1])
        >>> form = dict(stem='separable', gated_branches=(1, 2), pooling='symmetric')
        >>> norm = dict(type='BN3d', eps=1e-3, momentum=1e-3)
        >>> S3DG(base_channels=4, norm_cfg=norm, **form).out_channels
        64
    """

    def __init__(
        self,
        stem: Literal['dense', 'separable'] = 'dense',
        gated_branches: Collection[int] = (0, 1, 2, 3),
        pooling: Literal['same', 'symmetric'] = 'same',
        base_channels: int = 64,
        in_channels: int = 3,
        norm_cfg: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        least = 64 // min(min(widths) for widths in WIDTHS.values())
        if base_channels < least:
            raise UserError(
                f'S3DG: base_channels={base_channels} leaves a branch without channels',
                f'Give {least} or more.',
            )
        base, same = base_channels, pooling == 'same'
        if stem == 'dense':
            self.stem = conv_norm_relu(in_channels, base, (3, 7, 7), 2, False, norm_cfg)
        else:
            self.stem = gated(separable(in_channels, base, 7, 2, norm_cfg), base)
        self.pool2 = max_pool((1, 3, 3), same)
        self.conv2b = conv_norm_relu(base, base, 1, 1, False, norm_cfg)
        self.conv2c = gated(separable(base, 3 * base, 3, 1, norm_cfg), 3 * base)
        channels = 3 * base
        for name, widths in WIDTHS.items():
            if name in POOLS:
                self.add_module(f'pool{name[0]}', max_pool(POOLS[name], same))
            block = Inception(
                channels,
                [width * base // 64 for width in widths],
                gated_branches,
                norm_cfg,
            )
            self.add_module(f'mixed_{name}', block)
            channels = block.out_channels
        self.out_channels = channels
        self.last_stage = [name for name, _ in self.named_children() if '5' in name]

    def forward(self, x: Tensor) -> Tensor:
        """Return the last map.

        Args:
            x: Clips, shape ``(N, 3, T, H, W)``; T at least 8 and H, W at least 32.

        Returns:
            Shape ``(N, out_channels, T / 8, H / 32, W / 32)``, rounded as ``pooling``
            says.
        """
        for module in self.children():
            x = module(x)
        return x


def gated(layers: OrderedDict[str, nn.Module], channels: int) -> nn.Sequential:
    """Return the layers in a row with a gate behind them."""
    return nn.Sequential(OrderedDict(layers, gate=SelfGating(channels)))


def max_pool(kernel_size: tuple[int, int, int], same: bool) -> nn.Module:
    """Return the max-pooling that halves each axis on which the kernel is not 1."""
    stride = tuple(min(size, 2) for size in kernel_size)
    if same:
        return SamePool3d(kernel_size, stride)
    return nn.MaxPool3d(kernel_size, stride, tuple((s - 1) // 2 for s in kernel_size))


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
