"""The network of SCHP: a ResNet-101 human parser, rebuilt without compiled code."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

_EXPANSION = 4


class AbsoluteScaleNorm(nn.Module):
    """Batch normalisation in eval mode whose scale is ``|weight| + eps``.

    SCHP was trained with in-place activated normalisation, whose kernels take the
    absolute scale and, where asked for, add a leaky ReLU of slope 0.01. With the plain
    scale every channel of negative weight changes its sign.

    Source: the behaviour of ``modules/src/inplace_abn_cpu.cpp`` in
    https://github.com/GoGoDuck912/Self-Correction-Human-Parsing (MIT), after
    https://arxiv.org/abs/1712.02616; reimplemented. There is no counter of batches, as
    in the official checkpoints.

    Args:
        channels: Number of channels.
        leaky: Whether the leaky ReLU follows. Defaults to False.
        eps: Added to the variance and to the scale. Defaults to 1e-5.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, leaky: bool = False, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer('running_mean', torch.zeros(channels))
        self.register_buffer('running_var', torch.ones(channels))
        self.leaky = leaky
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``(N, C, H, W)`` with the running statistics."""
        scale = self.weight.abs() + self.eps
        x = functional.batch_norm(
            x, self.running_mean, self.running_var, scale, self.bias, eps=self.eps
        )
        return functional.leaky_relu(x, 0.01) if self.leaky else x


class Bottleneck(nn.Module):
    """Residual block 1x1, 3x3, 1x1; the 3x3 convolution carries the stride.

    Source: https://arxiv.org/abs/1512.03385.

    Args:
        inputs: Channels of the input.
        width: Channels of the 3x3 convolution; the output has four times as many.
        stride: Stride. Defaults to 1.
        dilation: Dilation of the 3x3 convolution. Defaults to 1.
        project: Whether the shortcut is a 1x1 convolution. Defaults to False.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        stride: int = 1,
        dilation: int = 1,
        project: bool = False,
    ) -> None:
        super().__init__()
        outputs = width * _EXPANSION
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = AbsoluteScaleNorm(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False)
        self.bn2 = AbsoluteScaleNorm(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = AbsoluteScaleNorm(outputs)
        self.relu = nn.ReLU()
        self.downsample: nn.Sequential | None = None
        if project:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, AbsoluteScaleNorm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(N, 4 width, H / stride, W / stride)``."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.relu(self.bn3(self.conv3(x)) + shortcut)


def _stage(
    inputs: int, width: int, blocks: int, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    """Return a stage; its first block carries the stride and projects."""
    first = Bottleneck(inputs, width, stride, dilation, project=True)
    inputs = width * _EXPANSION
    rest = [Bottleneck(inputs, width, 1, dilation) for _ in range(blocks - 1)]
    return nn.Sequential(first, *rest)


def _conv_norm(
    inputs: int, outputs: int, kernel: int = 1, leaky: bool = True
) -> list[nn.Module]:
    """Return a convolution without bias that keeps the size, and its normalisation."""
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return [conv, AbsoluteScaleNorm(outputs, leaky)]


def _resized(x: Tensor, like: Tensor) -> Tensor:
    """Resize ``x`` bilinearly to the height and width of ``like``, corner on corner."""
    size = like.shape[-2:]
    return functional.interpolate(x, size=size, mode='bilinear', align_corners=True)


class ContextEncoding(nn.Module):
    """Pyramid pooling: averages over 1, 4, 9 and 36 regions beside the map itself.

    Source: https://arxiv.org/abs/1612.01105.

    Args:
        inputs: Channels of the input.
        outputs: Channels of the output, and of each pooled map.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        sizes = (1, 2, 3, 6)
        self.stages = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(size), *_conv_norm(inputs, outputs))
            for size in sizes
        )
        joined = inputs + len(sizes) * outputs
        self.bottleneck = nn.Sequential(*_conv_norm(joined, outputs, kernel=3))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(N, outputs, H, W)``."""
        pooled = [_resized(stage(x), x) for stage in self.stages]
        return self.bottleneck(torch.cat([*pooled, x], dim=1))


class EdgeBranch(nn.Module):
    """Edges between parts, from three stages of the trunk.

    Source: https://arxiv.org/abs/1809.05996 (CE2P).

    Args:
        inputs: Channels of the three stages.
        width: Channels of the feature of each. Defaults to 256.
    """

    def __init__(self, inputs: tuple[int, int, int], width: int = 256) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = (
            nn.Sequential(*_conv_norm(channels, width)) for channels in inputs
        )
        self.conv4 = nn.Conv2d(width, 2, 3, padding=1)
        self.conv5 = nn.Conv2d(2 * len(inputs), 2, 1)

    def forward(self, x1: Tensor, x2: Tensor, x3: Tensor) -> tuple[Tensor, Tensor]:
        """Return edge logits ``(N, 2, H, W)`` and the joined features, size of x1."""
        features = [self.conv1(x1), self.conv2(x2), self.conv3(x3)]
        edges = [_resized(self.conv4(f), x1) for f in features]
        joined = torch.cat([_resized(f, x1) for f in features], dim=1)
        return self.conv5(torch.cat(edges, dim=1)), joined


class Decoder(nn.Module):
    """Joins the context with the finest stage of the trunk.

    Source: https://arxiv.org/abs/1809.05996 (CE2P).

    Args:
        classes: Number of labels.
        context: Channels of the context.
        fine: Channels of the finest stage.
    """

    def __init__(self, classes: int, context: int, fine: int) -> None:
        super().__init__()
        width, narrow = 256, 48
        self.conv1 = nn.Sequential(*_conv_norm(context, width))
        self.conv2 = nn.Sequential(*_conv_norm(fine, narrow))
        self.conv3 = nn.Sequential(
            *_conv_norm(width + narrow, width), *_conv_norm(width, width)
        )
        self.conv4 = nn.Conv2d(width, classes, 1)

    def forward(self, context: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
        """Return part logits ``(N, classes, H, W)`` and the feature, size of fine."""
        context = _resized(self.conv1(context), fine)
        feature = self.conv3(torch.cat([context, self.conv2(fine)], dim=1))
        return self.conv4(feature), feature


class SCHPLogits(NamedTuple):
    """What the network says, at a quarter of the input size, rounded up.

    Attributes:
        parsing: Part logits before the edges are joined, ``(N, K, h, w)``.
        fusion: Part logits to use, ``(N, K, h, w)``.
        edge: Edge logits, ``(N, 2, h, w)``.
    """

    parsing: Tensor
    fusion: Tensor
    edge: Tensor


class SCHPNetwork(nn.Module):
    """ResNet-101 parser, without compiled code; keys as in the official checkpoints.

    Source: https://arxiv.org/abs/1910.09777 and the network of
    https://github.com/GoGoDuck912/Self-Correction-Human-Parsing (MIT), reimplemented.
    For eval mode only.

    Args:
        classes: Number of labels ``K``.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        inputs = 3
        # The names are those of the checkpoints.
        for number, outputs in enumerate((64, 64, 128), 1):
            stride = 2 if number == 1 else 1
            conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
            self.add_module(f'conv{number}', conv)
            self.add_module(f'bn{number}', AbsoluteScaleNorm(outputs))
            self.add_module(f'relu{number}', nn.ReLU())
            inputs = outputs
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self._stem = tuple(self._modules)
        self.layer1 = _stage(128, 64, blocks=3)
        self.layer2 = _stage(64 * _EXPANSION, 128, blocks=4, stride=2)
        self.layer3 = _stage(128 * _EXPANSION, 256, blocks=23, stride=2)
        self.layer4 = _stage(256 * _EXPANSION, 512, blocks=3, dilation=2)
        self.context_encoding = ContextEncoding(2048, 512)
        self.edge = EdgeBranch((256, 512, 1024))
        self.decoder = Decoder(classes, context=512, fine=256)
        # Spelt so in the checkpoints.
        self.fushion = nn.Sequential(
            *_conv_norm(1024, 256), nn.Dropout2d(0.1), nn.Conv2d(256, classes, 1)
        )

    def forward(self, x: Tensor) -> SCHPLogits:
        """Return the logits of ``x`` ``(N, 3, H, W)``, BGR, normalised."""
        for name in self._stem:
            x = self.get_submodule(name)(x)
        x1 = self.layer1(x)
        x2 = self.layer2(x1)
        x3 = self.layer3(x2)
        context = self.context_encoding(self.layer4(x3))
        parsing, feature = self.decoder(context, x1)
        edge, edge_feature = self.edge(x1, x2, x3)
        fusion = self.fushion(torch.cat([feature, edge_feature], dim=1))
        return SCHPLogits(parsing, fusion, edge)
