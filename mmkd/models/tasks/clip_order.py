"""VCOP: in which order do the clips of a video come?"""

from collections.abc import Sequence
from itertools import combinations
from math import factorial

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmkd.models.heads import pool_map
from mmkd.models.losses import masked_accuracy, masked_cross_entropy
from mmkd.models.tasks.base import EncodedViews, PretextTask
from mmkd.registry import MODELS


@MODELS.register_module()
class ClipOrder(PretextTask):
    """Tell the order of shuffled clips from features of all their pairs.

    The features of each pair of places, ``(0, 1), (0, 2), (1, 2)`` for three clips,
    pass one shared layer and a ReLU; the results side by side are classified into all
    orders.

    Source: *Self-supervised Spatiotemporal Learning via Video Clip Order Prediction*,
    Xu et al., CVPR 2019; the defaults are those of the released code,
    https://github.com/xudejing/video-clip-order-prediction.

    Args:
        in_channels: Width of the backbone.
        hidden: Width of a pair. Defaults to 512.
        dropout: Probability before the classifier. Defaults to 0.5.
        views: The shuffled clips. Defaults to ``(0, 1, 2)``.
        loss_weight: Factor on the loss. Defaults to 1.

    Example:
        >>> tasks = dict(order=dict(type='mmkd.ClipOrder', views=(0, 1, 2)))
        >>> views = dict(type='mmkd.ClipOrderViews', clip_len=16, num_clips=3, gap=8)
    """

    def __init__(
        self,
        in_channels: int,
        hidden: int = 512,
        dropout: float = 0.5,
        views: Sequence[int] = (0, 1, 2),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(views, loss_weight=loss_weight)
        pairs = list(combinations(self.views, 2))
        self.pair = nn.Linear(2 * in_channels, hidden)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden * len(pairs), factorial(len(self.views)))

    def logits(self, student: dict[int, Tensor]) -> Tensor:
        """Return the logits ``(N, orders)`` of maps ``(N, C, t, h, w)`` by view."""
        features = {view: pool_map(student[view]) for view in self.views}
        pairs = [
            functional.relu(self.pair(torch.cat([features[a], features[b]], dim=1)))
            for a, b in combinations(self.views, 2)
        ]
        return self.classifier(self.dropout(torch.cat(pairs, dim=1)))

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss`` and ``acc``.

        Args:
            batch: The student's views and the label ``order``.
        """
        logits = self.logits(batch.student)
        labels = batch.label('order', self.views[0])
        return {
            'loss': masked_cross_entropy(logits, labels),
            'acc': masked_accuracy(logits, labels),
        }
