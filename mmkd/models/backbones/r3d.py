"""MMAction2's ``ResNet3d`` with the start and the stem pooling of the papers."""

from typing import Any

from mmaction.models.backbones.resnet3d import ResNet3d
from mmengine.model.weight_init import initialize
from torch import nn

from mmkd.registry import MODELS


def reset_parameters(module: nn.Module) -> None:
    """Draw every layer below ``module`` anew with PyTorch's own initialisation."""
    for layer in module.modules():
        reset = getattr(layer, 'reset_parameters', None)
        if callable(reset):
            reset()


@MODELS.register_module()
class R3D(ResNet3d):
    """MMAction2's ``ResNet3d`` that starts as the released code of the papers does.

    Same layers, same forward pass, same names of weights: the checkpoints of one load
    in the other. Two things differ. ``ResNet3d`` always starts from normal Kaiming
    values (fan-out) and ignores ``init_cfg``; the code of VCOP, Pace and PCL keeps
    PyTorch's uniform values, whose deviation is about 2.4 times smaller, and with it
    another ratio of learning rate to weight. And the stem of the 3D-ResNets pools over
    three frames, where ``ResNet3d`` pools over one.

    With ``depth=18, stage_blocks=(1, 1, 1, 1)``, no pooling and temporal strides
    1, 2, 2, 2 it is the R3D of VCOP (CVPR 2019), 14,361,792 parameters; the network is
    from https://arxiv.org/abs/1711.11248.

    Args:
        pool1_kernel_t: Frames that the max-pooling of the stem covers. Defaults to 1.
        init_cfg: MMEngine's initialisation. Defaults to None: PyTorch's.
        kwargs: Arguments of ``mmaction.ResNet3d``.

    Attributes:
        out_channels (int): Channels of the last map; ``feat_dim`` of ``ResNet3d``.

    Example:
        >>> import torch
        >>> stages = dict(stage_blocks=(1, 1, 1, 1), temporal_strides=(1, 2, 2, 2))
        >>> pools = dict(with_pool1=False, with_pool2=False)
        >>> net = R3D(depth=18, base_channels=2, **stages, **pools)
        >>> net(torch.zeros(2, 3, 8, 16, 16)).shape
        torch.Size([2, 16, 1, 1, 1])
    """

    def __init__(
        self,
        pool1_kernel_t: int = 1,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(init_cfg=init_cfg, **kwargs)
        self.maxpool.kernel_size = (pool1_kernel_t, 3, 3)
        self.maxpool.padding = (pool1_kernel_t // 2, 1, 1)
        self.out_channels = int(self.feat_dim)
        # MMCV's ConvModule has drawn Kaiming values by now.
        reset_parameters(self)

    def init_weights(self, pretrained: str | None = None) -> None:
        """Do what ``init_cfg`` or ``pretrained`` asks; else keep PyTorch's values."""
        if pretrained or self.pretrained:
            super().init_weights(pretrained)
        elif self.init_cfg:
            initialize(self, self.init_cfg)
        self._is_init = True

    def train(self, mode: bool = True) -> 'R3D':
        """Set the mode and return the network, which ``ResNet3d`` forgets to do."""
        super().train(mode)
        return self
