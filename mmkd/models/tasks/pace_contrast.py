"""VideoPace's contrastive companions of the pace classification."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from mmkd.models.heads import Projection
from mmkd.models.losses import group_contrast
from mmkd.models.memory import gather_rows, gather_with_gradient
from mmkd.models.tasks.base import EncodedViews, PretextTask
from mmkd.registry import MODELS


@MODELS.register_module()
class PaceContrast(PretextTask):
    """Draw clips of one video, or clips of one pace, together within the batch.

    Same context: positives are the clips of one video at different paces, negatives the
    clips of other videos. Same pace: positives are clips of equal pace, negatives
    those of other paces. The batch is that of all processes.

    Described for https://arxiv.org/abs/2008.05861, never released. **Ours**, for want
    of a source: projection, normalisation, weight and the batch. A third party's
    summary has no temperature, hence 1.

    Args:
        in_channels: Width of the backbone.
        same: ``'context'`` or ``'pace'``. Defaults to ``'context'``.
        embedding: Width of the embedding. Defaults to 128.
        temperature: Divides the similarities. Defaults to 1.
        views: Clips of a video; two or more for ``'context'``. Defaults to ``(0, 1)``.
        loss_weight: Defaults to 1.

    Example:
        >>> tasks = dict(
        ...     pace=dict(type='mmkd.Pace', views=(0, 1)),
        ...     contrast=dict(type='mmkd.PaceContrast', same='context'),
        ... )
        >>> views = dict(type='mmkd.PaceViews', clip_len=16, num_views=2)
        >>> same_pace = dict(type='mmkd.PaceContrast', same='pace')
    """

    def __init__(
        self,
        in_channels: int,
        same: Literal['context', 'pace'] = 'context',
        embedding: int = 128,
        temperature: float = 1.0,
        views: Sequence[int] = (0, 1),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(views, loss_weight=loss_weight)
        self.same = same
        self.temperature = temperature
        self.projector = Projection(in_channels, embedding)

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss``.

        Args:
            batch: Student views ``(N, C, t, h, w)``; the label ``pace`` for ``'pace'``.
        """
        embedded = [self.projector(batch.student[view]) for view in self.views]
        anchors = functional.normalize(torch.cat(embedded), dim=1)
        keys, first = gather_with_gradient(anchors)
        mine = torch.arange(first, first + len(anchors), device=keys.device)
        groups = self._groups(batch, len(anchors), first)
        together = groups[mine, None] == groups
        itself = mine[:, None] == torch.arange(len(keys), device=keys.device)
        similarities = anchors @ keys.t() / self.temperature
        return {'loss': group_contrast(similarities, together & ~itself, ~together)}

    def _groups(self, batch: EncodedViews, rows: int, first: int) -> Tensor:
        """Return a number for each row of all processes, equal within a group."""
        if self.same == 'pace':
            labels = [batch.label('pace', view) for view in self.views]
            return gather_rows(torch.cat(labels))
        # The rows of a process are its videos, view after view.
        device = batch.student[self.views[0]].device
        videos = torch.arange(rows // len(self.views), device=device)
        return gather_rows(videos.repeat(len(self.views)) + first)
