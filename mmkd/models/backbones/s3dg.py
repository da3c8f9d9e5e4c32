"""S3D-G: separable 3D inception network with feature gating."""

from collections import OrderedDict
from collections.abc import Collection
from typing import Any, Literal

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.backbones.convolutions import conv_norm_relu
from mmkd.models.backbones.inception import (
    Inception,
    SamePool3d,
    SelfGating,
    separable,
)
from mmkd.registry import MODELS

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
