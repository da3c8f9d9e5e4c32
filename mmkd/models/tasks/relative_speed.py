"""Relative speed perception: which of two clips runs as fast as the query?"""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.heads import Projection
from mmkd.models.losses import relative_speed_ranking
from mmkd.models.tasks.base import EncodedViews, PretextTask
from mmkd.registry import MODELS


@MODELS.register_module()
class RelativeSpeed(PretextTask):
    """Rank two clips of the same video by whether their speed is that of the query.

    The RSP task of RSPNet. It needs no speed labels and no negatives of other videos.

    Source: RSPNet, https://arxiv.org/abs/2011.07949; released values.

    Args:
        in_channels: Width of the backbone.
        embedding: Width of the embedding. Defaults to 128.
        hidden_channels: Hidden width of the projection. Defaults to None: linear.
        margin: By how much the same speed must be closer, in similarities divided by
            the temperature. Defaults to 2.0.
        temperature: Defaults to 0.07.
        teacher: Name of the teacher. Defaults to ``'momentum'``.
        views: The student's view. Defaults to ``(0,)``.
        teacher_views: The clip of the same speed, then that of the other. Defaults to
            ``(1, 2)``.
        loss_weight: Defaults to 1.

    Raises:
        UserError: If there are not two teacher views.

    Example:
        >>> tasks = dict(rsp=dict(type='mmkd.RelativeSpeed'))
        >>> teachers = dict(momentum=dict(type='mmkd.MomentumTeacher'))
        >>> views = dict(type='mmkd.RelativeSpeedViews', clip_len=16, speeds=(1, 2))
    """

    def __init__(
        self,
        in_channels: int,
        embedding: int = 128,
        hidden_channels: int | None = None,
        margin: float = 2.0,
        temperature: float = 0.07,
        teacher: str = 'momentum',
        views: Sequence[int] = (0,),
        teacher_views: Sequence[int] = (1, 2),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(views, teacher, teacher_views, loss_weight)
        if len(self.teacher_views) != 2:
            raise UserError(
                f'RelativeSpeed has teacher_views={self.teacher_views}',
                'Give two: the same speed, then the other one.',
            )
        self.projector = Projection(in_channels, embedding, hidden_channels)
        self.margin = margin
        self.temperature = temperature

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss``, and ``acc``: the share of pairs in the right order.

        Args:
            batch: One student view ``(N, C, t, h, w)`` and two of the teacher's
                embeddings ``(N, embedding)``.
        """
        projected = self.projector(batch.student[self.views[0]])
        query = functional.normalize(projected, dim=1)
        same, other = (
            (query * functional.normalize(batch.teacher[view], dim=1)).sum(dim=1)
            for view in self.teacher_views
        )
        loss = relative_speed_ranking(same, other, self.margin, self.temperature)
        return {'loss': loss, 'acc': (same > other).float().mean()}
