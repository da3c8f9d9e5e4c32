"""auxSKD: auxiliary pre-training by similarity-based knowledge distillation."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from mmkd.models.heads import Projection, mlp
from mmkd.models.losses import similarity_kl
from mmkd.models.measures import mean_correlation
from mmkd.models.memory import FeatureQueue
from mmkd.models.tasks.base import EncodedViews, PretextTask
from mmkd.registry import MODELS


@MODELS.register_module()
class SimilarityDistill(PretextTask):
    """The student ranks a queue of other videos as its teacher does.

    The student's embedding passes a predictor, the teacher's does not; both are
    normalised and compared with the queue, which takes in the teacher's embeddings
    afterwards (so a batch is never its own anchor). One direction, no other term.

    Source: auxSKD, https://arxiv.org/abs/2112.04011; the defaults are those of the
    released code, except ``released_queue``.

    Args:
        in_channels: Width of the backbone.
        embedding: Width of the embedding. Defaults to 128.
        predictor_hidden: Hidden width of the predictor. Defaults to 1024.
        queue_size: Anchors. Defaults to 15360.
        student_temperature: Defaults to 0.1.
        teacher_temperature: Defaults to 0.02.
        released_queue: Start the queue as the released code does, see
            :class:`~mmkd.models.memory.FeatureQueue`. Defaults to False.
        teacher: Name of the teacher. Defaults to ``'momentum'``.
        views: The student's view. Defaults to ``(0,)``.
        teacher_views: The teacher's view. Defaults to ``(1,)``.
        loss_weight: Defaults to 1.

    Example:
        >>> tasks = dict(skd=dict(type='mmkd.SimilarityDistill'))
        >>> teachers = dict(momentum=dict(type='mmkd.MomentumTeacher'))
        >>> views = dict(type='mmkd.SegmentPaceViews', clip_len=16, num_views=2)
        >>> small = dict(type='mmkd.SimilarityDistill', embedding=64, queue_size=512)
    """

    def __init__(
        self,
        in_channels: int,
        embedding: int = 128,
        predictor_hidden: int = 1024,
        queue_size: int = 15360,
        student_temperature: float = 0.1,
        teacher_temperature: float = 0.02,
        released_queue: bool = False,
        teacher: str = 'momentum',
        views: Sequence[int] = (0,),
        teacher_views: Sequence[int] = (1,),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(views, teacher, teacher_views, loss_weight)
        self.projector = Projection(in_channels, embedding)
        self.predictor = mlp(embedding, embedding, predictor_hidden)
        self.queue = FeatureQueue(queue_size, embedding, released_queue)
        self.temperatures = student_temperature, teacher_temperature

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss``, and ``agreement`` for the log.

        ``agreement`` is the mean correlation between the student's and the teacher's
        similarities to the anchors; networks to which all clips look alike agree too.
        Afterwards the queue holds the teacher's embeddings.

        Args:
            batch: One student view ``(N, C, t, h, w)`` and one teacher embedding
                ``(N, embedding)``.
        """
        projected = self.projector(batch.student[self.views[0]])
        student = functional.normalize(self.predictor(projected), dim=1)
        teacher = functional.normalize(batch.teacher[self.teacher_views[0]], dim=1)
        similarities = (
            self.queue.similarities(student),
            self.queue.similarities(teacher),
        )
        loss = similarity_kl(*similarities, *self.temperatures)
        agreement = mean_correlation(*similarities)
        if self.training:
            self.queue.enqueue(teacher)
        return {'loss': loss, 'agreement': agreement}
