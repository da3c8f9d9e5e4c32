"""What tasks share that tell one label of a view with one linear layer."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from mmkd.models.heads import pool_map
from mmkd.models.losses import masked_accuracy, masked_cross_entropy
from mmkd.models.tasks.base import EncodedViews, PretextTask


class ViewClassification(PretextTask):
    """A linear classifier on the pooled feature of each view. Source: ours.

    A subclass names its label. With several views the classifier is shared and the
    cross-entropy is the mean over the views.

    Args:
        in_channels: Width of the backbone.
        num_classes: Classes of the label.
        views: The views to classify. Defaults to ``(0,)``.
        loss_weight: Factor on the loss. Defaults to 1.

    Attributes:
        label: Name of the label in ``view_labels``.
    """

    label: ClassVar[str]

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        views: Sequence[int] = (0,),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(views, loss_weight=loss_weight)
        self.classifier = nn.Linear(in_channels, num_classes)

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss`` and ``acc``.

        Args:
            batch: Student views ``(N, C, t, h, w)`` and their labels.
        """
        features = [pool_map(batch.student[view]) for view in self.views]
        labels = torch.cat([batch.label(self.label, view) for view in self.views])
        logits = self.classifier(torch.cat(features))
        return {
            'loss': masked_cross_entropy(logits, labels),
            'acc': masked_accuracy(logits, labels),
        }
