"""C3D with batch normalisation and without fully connected layers."""

from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor
from torch.nn import functional

from mmkd.models.backbones.convolutions import conv_norm_relu
from mmkd.registry import MODELS


@MODELS.register_module()
class C3D(BaseModule):
    """C3D as the clip-order family uses it (VCOP, Pace, PCL, RSPNet).

    Eight 3x3x3 convolutions in five stages with batch normalisation. Unlike the first
    C3D (https://arxiv.org/abs/1412.0767) and MMAction2's, it ends with the last map: no
    ``pool5`` and no ``fc6``/``fc7``. The form is that of the code of VCOP (Xu et al.,
    "Self-supervised Spatiotemporal Learning via Video Clip Order Prediction",
    CVPR 2019). 27,661,440 parameters at the default size.

    Args:
        base_channels: Width of the first stage; the others have 2, 4, 8 and 8 times it.
            Defaults to 64.
        stage_blocks: Number of convolutions in each stage. Defaults to 1, 1, 2, 2, 2.
        in_channels: Channels of the input. Defaults to 3.
        init_cfg: MMEngine's initialisation. Defaults to None: PyTorch's, as in the
            papers' code.

    Attributes:
        out_channels (int): Channels of the last map, 512 at the default width.
        last_stage (list[str]): Names of the modules of the last stage, in order.

    Example:
        >>> import torch
        >>> net = C3D(base_channels=2)
        >>> net(torch.zeros(2, 3, 8, 16, 16)).shape
        torch.Size([2, 16, 1, 1, 1])
        >>> net.out_channels, net.last_stage
        (16, ['conv5a', 'conv5b'])
    """

    def __init__(
        self,
        base_channels: int = 64,
        stage_blocks: Sequence[int] = (1, 1, 2, 2, 2),
        in_channels: int = 3,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.stage_names: list[list[str]] = []
        for stage, blocks in enumerate(stage_blocks):
            width = base_channels * 2 ** min(stage, 3)
            names = [
                f'conv{stage + 1}{chr(ord("a") + block)}' for block in range(blocks)
            ]
            for name in names:
                self.add_module(name, conv_norm_relu(in_channels, width, 3, bias=True))
                in_channels = width
            self.stage_names.append(names)
        self.out_channels = in_channels
        self.last_stage = self.stage_names[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Return the last map.

        Args:
            x: Clips, shape ``(N, 3, T, H, W)``; T at least 8, H and W at least 16.

        Returns:
            Shape ``(N, out_channels, T // 8, H // 16, W // 16)``.
        """
        for stage, names in enumerate(self.stage_names):
            if stage > 0:
                x = functional.max_pool3d(x, (1, 2, 2) if stage == 1 else 2)
            for name in names:
                x = getattr(self, name)(x)
        return x
