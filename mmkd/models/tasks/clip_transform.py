"""VCP: what was done to the middle clip?"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmkd.models.heads import pool_map
from mmkd.models.losses import masked_accuracy, masked_cross_entropy
from mmkd.models.tasks.base import EncodedViews, PretextTask
from mmkd.registry import MODELS


@MODELS.register_module()
class ClipTransform(PretextTask):
    """Tell the operation on one clip from the features of three.

    One linear classifier on the pooled features side by side.

    Source: VCP, https://arxiv.org/abs/2001.00294, as in PCL's released code,
    https://arxiv.org/abs/2010.15464.

    Args:
        in_channels: Width of the backbone.
        num_operations: Classes of ``view_labels['transform']``. Defaults to 5.
        views: The clips in the order of time. Defaults to ``(0, 1, 2)``.
        label_view: The clip that was operated on. Defaults to 1.
        loss_weight: Factor on the loss. Defaults to 1.

    Example:
        >>> tasks = dict(vcp=dict(type='mmkd.ClipTransform'))
        >>> views = dict(type='mmkd.ClipTransformViews', clip_len=16, interval=8)
        >>> operate = dict(type='mmkd.ApplyClipTransform')
        >>> middle = dict(type='mmkd.PerView', views=[1], transforms=[operate])
    """

    def __init__(
        self,
        in_channels: int,
        num_operations: int = 5,
        views: Sequence[int] = (0, 1, 2),
        label_view: int = 1,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(views, loss_weight=loss_weight)
        self.label_view = label_view
        self.classifier = nn.Linear(len(self.views) * in_channels, num_operations)

    def logits(self, student: dict[int, Tensor]) -> Tensor:
        """Return the logits ``(N, operations)`` of maps ``(N, C, t, h, w)`` by view."""
        features = [pool_map(student[view]) for view in self.views]
        return self.classifier(torch.cat(features, dim=1))

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss`` and ``acc``.

        Args:
            batch: The student's views and the label ``transform``.
        """
        logits = self.logits(batch.student)
        labels = batch.label('transform', self.label_view)
        return {
            'loss': masked_cross_entropy(logits, labels),
            'acc': masked_accuracy(logits, labels),
        }
