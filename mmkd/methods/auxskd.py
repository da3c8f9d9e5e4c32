"""auxSKD: auxiliary pre-training by similarity-based knowledge distillation."""

from collections.abc import Sequence

import torch
from mmengine import dist
from torch import Tensor
from torch.nn import functional

from mmkd.models.heads import Projection, mlp
from mmkd.models.losses import similarity_kl
from mmkd.models.memory import FeatureQueue
from mmkd.models.tasks import EncodedViews, PretextTask
from mmkd.registry import MODELS
from mmkd.rule import Rule, check_rule

# Features of the queue that join the batch in the teacher's mean distribution: so
# many cost next to nothing, the whole queue may not.
EARLIER = 256


@MODELS.register_module()
class SimilarityDistill(PretextTask):
    """Distil the teacher's similarities to a queue of other videos into the student.

    The student's embedding passes a predictor, the teacher's does not; both are
    normalised and compared with the queue, which takes in the teacher's embeddings
    afterwards (so a batch is never its own anchor). With the student's prediction
    ``s``, the teacher's embedding ``t`` of another view and the queue ``Q``, all
    normalised; only ``s`` has a gradient::

        p_T = softmax(t . Q / teacher_temperature)
        p_S = softmax(s . Q / student_temperature)
        L   = mean over clips of KL(p_T || p_S)

    Source: auxSKD, https://arxiv.org/abs/2112.04011; the defaults are those of the
    official code, except ``rule``.

    Args:
        in_channels: Width of the backbone.
        embedding: Width of the embedding. Defaults to 128.
        predictor_hidden: Hidden width of the predictor. Defaults to 1024.
        queue_size: Anchors. Defaults to 15360.
        student_temperature: Defaults to 0.1.
        teacher_temperature: Defaults to 0.02.
        rule: How the queue starts, ``'ours'`` (default) or ``'official'``; see
            :class:`~mmkd.models.memory.FeatureQueue`.
        teacher: Name of the teacher. Defaults to ``'momentum'``.
        views: The student's view. Defaults to ``(0,)``.
        teacher_views: The teacher's view. Defaults to ``(1,)``.
        loss_weight: Defaults to 1.
        released_queue: Gone; a value names ``rule`` in an error.

    Raises:
        UserError: If there is no such rule.

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
        rule: Rule = 'ours',
        teacher: str = 'momentum',
        views: Sequence[int] = (0,),
        teacher_views: Sequence[int] = (1,),
        loss_weight: float = 1.0,
        released_queue: None = None,
    ) -> None:
        super().__init__(views, teacher, teacher_views, loss_weight)
        self.projector = Projection(in_channels, embedding)
        self.predictor = mlp(embedding, embedding, predictor_hidden)
        check_rule('SimilarityDistill', rule, released_queue, 'released_queue')
        self.queue = FeatureQueue(queue_size, embedding, rule)
        self.temperatures = student_temperature, teacher_temperature

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss``, and ``agreement`` and ``gain`` for the log.

        ``gain`` is that of :func:`similarity_gain`, with the teacher's answers for the
        clips whose keys are in the queue: below 0 nothing was learned. ``agreement`` is
        :func:`mean_correlation`; networks to which all clips look alike agree too.

        Args:
            batch: A student view ``(N, C, t, h, w)``, a teacher's ``(N, embedding)``.
        """
        projected = self.projector(batch.student[self.views[0]])
        student = functional.normalize(self.predictor(projected), dim=1)
        teacher = functional.normalize(batch.teacher[self.teacher_views[0]], dim=1)
        # (N, queue_size) each.
        pair = self.queue.similarities(student), self.queue.similarities(teacher)
        earlier = self.queue.own_similarities(EARLIER)
        result = {
            'loss': similarity_kl(*pair, *self.temperatures),
            'agreement': mean_correlation(*pair),
            'gain': similarity_gain(*pair, *self.temperatures, earlier),
        }
        if self.training:
            self.queue.enqueue(teacher)
        return result


@torch.no_grad()
def mean_correlation(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean of Pearson's correlation of similarities ``(N, K)``, -1 to 1.

    It is high where both find the same anchors near, whatever the temperatures.
    """
    one, other = (x - x.mean(dim=1, keepdim=True) for x in (student, teacher))
    return functional.cosine_similarity(one, other, dim=1).mean()


@torch.no_grad()
def similarity_gain(
    student: Tensor,
    teacher: Tensor,
    student_temperature: float = 0.1,
    teacher_temperature: float = 0.02,
    earlier: Tensor | None = None,
) -> Tensor:
    """Return by how many nats the student beats the best one that ignores the clip.

    That one answers the teacher's mean distribution ``m`` over the clips of all
    processes and the ``earlier`` ones: the gain is the mean over clips of
    ``KL(p_T || m) - KL(p_T || p_S)``, symbols as in :class:`SimilarityDistill`. As each
    clip is in ``m``, the gain is rather too small, the more so the fewer there are.

    Args:
        student: Similarities of shape ``(N, K)``.
        teacher: Similarities to the same anchors, ``(N, K)``.
        student_temperature: Defaults to 0.1.
        teacher_temperature: Defaults to 0.02.
        earlier: The teacher's similarities of clips of earlier steps to the same
            anchors, ``(M, K)``, equal on all processes; ``-inf`` is an anchor that does
            not count for that clip. Defaults to None: the batch alone.
    """
    target = (teacher / teacher_temperature).softmax(dim=1)  # (N, K)
    answer = (student / student_temperature).log_softmax(dim=1)
    known = target[:0]
    if earlier is not None:
        known = (earlier / teacher_temperature).softmax(dim=1)  # (M, K)
    total, count = target.sum(dim=0), target.new_tensor(float(len(target)))
    dist.all_reduce(total)
    dist.all_reduce(count)
    mean = (total + known.sum(dim=0)) / (count + len(known)).clamp(min=1)  # (K,)
    # What underflows to 0 in the mean is next to 0 for every clip in it.
    mean = mean.clamp(min=torch.finfo(mean.dtype).tiny)
    # Both divergences hold the teacher's entropy; it cancels.
    own = -(target * answer).sum(dim=1)
    ignorant = -(target * mean.log()).sum(dim=1)
    return (ignorant - own).mean()
