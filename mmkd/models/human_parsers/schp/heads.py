"""Context, edge and decoder of SCHP."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmkd.models.human_parsers.schp.norm import conv_norm


def resized(x: Tensor, like: Tensor) -> Tensor:
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
            nn.Sequential(nn.AdaptiveAvgPool2d(size), *conv_norm(inputs, outputs))
            for size in sizes
        )
        joined = inputs + len(sizes) * outputs
        self.bottleneck = nn.Sequential(*conv_norm(joined, outputs, kernel=3))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(N, outputs, H, W)``."""
        pooled = [resized(stage(x), x) for stage in self.stages]
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
            nn.Sequential(*conv_norm(channels, width)) for channels in inputs
        )
        self.conv4 = nn.Conv2d(width, 2, 3, padding=1)
        self.conv5 = nn.Conv2d(2 * len(inputs), 2, 1)

    def forward(self, x1: Tensor, x2: Tensor, x3: Tensor) -> tuple[Tensor, Tensor]:
        """Return edge logits ``(N, 2, H, W)`` and the joined features, size of x1."""
        features = [self.conv1(x1), self.conv2(x2), self.conv3(x3)]
        edges = [resized(self.conv4(f), x1) for f in features]
        joined = torch.cat([resized(f, x1) for f in features], dim=1)
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
        self.conv1 = nn.Sequential(*conv_norm(context, width))
        self.conv2 = nn.Sequential(*conv_norm(fine, narrow))
        self.conv3 = nn.Sequential(
            *conv_norm(width + narrow, width), *conv_norm(width, width)
        )
        self.conv4 = nn.Conv2d(width, classes, 1)

    def forward(self, context: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
        """Return part logits ``(N, classes, H, W)`` and the feature, size of fine."""
        context = resized(self.conv1(context), fine)
        feature = self.conv3(torch.cat([context, self.conv2(fine)], dim=1))
        return self.conv4(feature), feature
