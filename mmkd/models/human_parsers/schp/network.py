"""The whole network of SCHP."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmkd.models.human_parsers.schp.heads import ContextEncoding, Decoder, EdgeBranch
from mmkd.models.human_parsers.schp.norm import conv_norm
from mmkd.models.human_parsers.schp.resnet import EXPANSION, residual_stage, stem


class SCHPLogits(NamedTuple):
    """What the network says, at a quarter of the input size, rounded up.

    Source: SCHP, https://arxiv.org/abs/1910.09777.

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
    https://github.com/GoGoDuck912/Self-Correction-Human-Parsing (MIT), written anew.
    For eval mode only.

    Args:
        classes: Number of labels ``K``.
    """

    layer1: nn.Module
    layer2: nn.Module
    layer3: nn.Module
    layer4: nn.Module

    def __init__(self, classes: int) -> None:
        super().__init__()
        first = stem()
        self._stem = tuple(first)
        for name, layer in first.items():
            self.add_module(name, layer)
        self.layer1 = residual_stage(128, 64, blocks=3)
        self.layer2 = residual_stage(64 * EXPANSION, 128, blocks=4, stride=2)
        self.layer3 = residual_stage(128 * EXPANSION, 256, blocks=23, stride=2)
        self.layer4 = residual_stage(256 * EXPANSION, 512, blocks=3, dilation=2)
        self.context_encoding = ContextEncoding(2048, 512)
        self.edge = EdgeBranch((256, 512, 1024))
        self.decoder = Decoder(classes, context=512, fine=256)
        # Spelt so in the checkpoints.
        self.fushion = nn.Sequential(
            *conv_norm(1024, 256), nn.Dropout2d(0.1), nn.Conv2d(256, classes, 1)
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
