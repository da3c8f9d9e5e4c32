"""The papers' forms of MMAction2's ``ResNet3d``: R3D, and R(2+1)D in two of them."""

from typing import Any

from mmaction.models.backbones.resnet3d import BasicBlock3d, ResNet3d
from mmengine.model.weight_init import initialize

from mmkd.models.backbones.convolutions import Conv2Plus1d, equal_parameter_width
from mmkd.registry import MODELS


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
        for layer in self.modules():
            if callable(reset := getattr(layer, 'reset_parameters', None)):
                reset()

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


class R2Plus1DBlock(BasicBlock3d):
    """MMAction2's ``BasicBlock3d`` of two factored 3x3x3 convolutions.

    Source: R(2+1)D, https://arxiv.org/abs/1711.11248.

    Args:
        norm_cfg: The normalisation, also that inside the factored convolutions.
        one_mid_per_block: Whether both convolutions have the mid width that the first
            one asks for.
        conv_cfg: Ignored: it is that of the shortcut, which the caller builds.
    """

    def __init__(
        self,
        inplanes: int,
        planes: int,
        norm_cfg: dict[str, Any],
        one_mid_per_block: bool,
        conv_cfg: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        factored = {'type': Conv2Plus1d, 'norm_cfg': norm_cfg}
        if one_mid_per_block:
            factored['mid_channels'] = equal_parameter_width(
                inplanes, planes, (3, 3, 3)
            )
        super().__init__(
            inplanes, planes, conv_cfg=factored, norm_cfg=norm_cfg, **kwargs
        )


@MODELS.register_module()
class R2Plus1D(R3D):
    """R(2+1)D of the clip-order family or of torchvision.

    The network of https://arxiv.org/abs/1711.11248 exists in several forms.
    The layout is that of :class:`R3D`; the convolutions are factored. The defaults are
    the form of VCOP (CVPR 2019; also Pace, PCL, auxSKD, RSPNet): a mid width for each
    convolution by itself, and factored shortcuts. Its network of one block a stage has
    14,365,303 parameters. torchvision's ``r2plus1d_18`` has one mid width in a block,
    plain shortcuts and 45 channels inside the stem. MMAction2's ``ResNet2Plus1d`` is
    neither: it cannot leave out the pooling of the stem, and its shortcuts are wider.

    Args:
        one_mid_per_block: Whether a block has one mid width, that of its first
            convolution. Defaults to False.
        factored_shortcut: Whether the 1x1x1 shortcuts are factored, too. Defaults to
            True.
        stem_mid_channels: Mid width of the stem. Defaults to None: the formula's (83
            of 64).
        norm_cfg: The normalisation. Defaults to None: ``BN3d``.
        kwargs: Arguments of :class:`R3D`; ``depth`` is 18 or 34.

    Attributes:
        out_channels (int): Channels of the last map.

    Example:
        >>> import torch
        >>> form = dict(one_mid_per_block=True, factored_shortcut=False)
        >>> net = R2Plus1D(depth=18, base_channels=2, stem_mid_channels=3, **form)
        >>> net(torch.zeros(2, 3, 8, 32, 32)).shape
        torch.Size([2, 16, 4, 1, 1])
    """

    conv_cfg: dict[str, Any]
    arch_settings = {
        18: (R2Plus1DBlock, (2, 2, 2, 2)),
        34: (R2Plus1DBlock, (3, 4, 6, 3)),
    }

    def __init__(
        self,
        one_mid_per_block: bool = False,
        factored_shortcut: bool = True,
        stem_mid_channels: int | None = None,
        norm_cfg: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        norm_cfg = norm_cfg or {'type': 'BN3d'}
        factored = {'type': Conv2Plus1d, 'norm_cfg': norm_cfg}
        # Set before the modules exist: ResNet3d builds the stem in its constructor.
        self.stem_conv_cfg = {**factored, 'mid_channels': stem_mid_channels}
        super().__init__(
            conv_cfg=factored if factored_shortcut else {'type': 'Conv3d'},
            norm_cfg=norm_cfg,
            one_mid_per_block=one_mid_per_block,
            **kwargs,
        )

    def _make_stem_layer(self) -> None:
        shortcut_cfg = self.conv_cfg
        self.conv_cfg = self.stem_conv_cfg
        super()._make_stem_layer()
        self.conv_cfg = shortcut_cfg
