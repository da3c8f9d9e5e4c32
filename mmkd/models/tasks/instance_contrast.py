"""Instance discrimination against a queue: MoCo, and the A-VID task of RSPNet."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.heads import Projection
from mmkd.models.losses import info_nce
from mmkd.models.memory import FeatureQueue
from mmkd.models.tasks.base import EncodedViews, PretextTask
from mmkd.registry import MODELS


@MODELS.register_module()
class InstanceContrast(PretextTask):
    """Tell the teacher's views of the same video from a queue of other videos.

    Every teacher view is a positive of its own with the same negatives; the losses are
    added, not averaged. One of the views then enters the queue. With one teacher view
    it is MoCo; A-VID of RSPNet has two, of either speed, so that appearance counts and
    speed does not.

    Source: MoCo, https://arxiv.org/abs/1911.05722, and RSPNet,
    https://arxiv.org/abs/2011.07949, whose released values are the defaults.

    Args:
        in_channels: Width of the backbone.
        embedding: Width of the embedding. Defaults to 128.
        hidden_channels: Hidden width of the projection. Defaults to None: linear.
        queue_size: Negatives. Defaults to 16384.
        temperature: Defaults to 0.07.
        queue_view: The teacher view that enters the queue. Defaults to None: the last
            one, in RSPNet the clip of the other speed.
        teacher: Name of the teacher. Defaults to ``'momentum'``.
        views: The student's view. Defaults to ``(0,)``.
        teacher_views: The positives. Defaults to ``(1,)``.
        loss_weight: Defaults to 1.

    Raises:
        UserError: If ``queue_view`` is not a teacher view.

    Example:
        >>> teachers = dict(momentum=dict(type='mmkd.MomentumTeacher'))
        >>> moco = dict(contrast=dict(type='mmkd.InstanceContrast', queue_size=65536))
        >>> rspnet = dict(
        ...     avid=dict(type='mmkd.InstanceContrast', teacher_views=(1, 2)),
        ...     rsp=dict(type='mmkd.RelativeSpeed'),
        ... )
    """

    def __init__(
        self,
        in_channels: int,
        embedding: int = 128,
        hidden_channels: int | None = None,
        queue_size: int = 16384,
        temperature: float = 0.07,
        queue_view: int | None = None,
        teacher: str = 'momentum',
        views: Sequence[int] = (0,),
        teacher_views: Sequence[int] = (1,),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(views, teacher, teacher_views, loss_weight)
        self.queue_view = self.teacher_views[-1] if queue_view is None else queue_view
        if self.queue_view not in self.teacher_views:
            raise UserError(
                f'InstanceContrast: queue_view {queue_view} is no teacher view',
                f'Choose from teacher_views={self.teacher_views}.',
            )
        self.projector = Projection(in_channels, embedding, hidden_channels)
        self.queue = FeatureQueue(queue_size, embedding)
        self.temperature = temperature

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss_<view>`` and ``acc_<view>`` for each teacher view.

        The accuracy is the share of clips whose positive is nearer than every negative.

        Args:
            batch: One student view ``(N, C, t, h, w)`` and the teacher's embeddings
                ``(N, embedding)``.
        """
        projected = self.projector(batch.student[self.views[0]])
        query = functional.normalize(projected, dim=1)
        negatives = self.queue.similarities(query)
        result = {}
        for view in self.teacher_views:
            key = functional.normalize(batch.teacher[view], dim=1)
            positive = (query * key).sum(dim=1)
            result[f'loss_{view}'] = info_nce(positive, negatives, self.temperature)
            nearest = positive.detach() > negatives.detach().amax(dim=1)
            result[f'acc_{view}'] = nearest.float().mean()
        if self.training:
            new = batch.teacher[self.queue_view]
            self.queue.enqueue(functional.normalize(new, dim=1))
        return result
