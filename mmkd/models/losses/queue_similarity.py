"""Similarity over a queue: the student ranks remembered clips as its teacher does."""

from torch import Tensor, nn
from torch.nn import functional

from mmkd.models.losses.shapes import check_same_shape
from mmkd.models.losses.similarity_kl import similarity_kl
from mmkd.models.memory.feature_queue import FeatureQueue
from mmkd.registry import MODELS


@MODELS.register_module()
class QueueSimilarity(nn.Module):
    """KL between the similarities to a queue of the teacher's features.

    Both features, of shape ``(N, channels)``, are brought to unit length and compared
    with the queue, which takes in the teacher's of all processes afterwards, while in
    training. The queue is in the checkpoint.

    Source: ISD, https://arxiv.org/abs/2012.09259, and SEED,
    https://arxiv.org/abs/2101.04731; one temperature for both as the default is ours.

    Args:
        channels: Width of the teacher's feature.
        queue_size: Features kept. Defaults to 4096.
        student_temperature: Defaults to 0.07.
        teacher_temperature: Defaults to 0.07.

    Example:
        >>> import torch
        >>> loss = QueueSimilarity(channels=4, queue_size=8)
        >>> features = torch.eye(4)
        >>> loss(features, features).item()
        0.0
        >>> loss.queue.features.shape
        torch.Size([8, 4])
    """

    def __init__(
        self,
        channels: int,
        queue_size: int = 4096,
        student_temperature: float = 0.07,
        teacher_temperature: float = 0.07,
    ) -> None:
        super().__init__()
        self.queue = FeatureQueue(queue_size, channels)
        self.temperatures = student_temperature, teacher_temperature

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the loss of features ``(N, channels)`` twice.

        Raises:
            ValueError: If the shapes differ, or the width is not that of the queue.
        """
        check_same_shape(student, teacher, ndim=2)
        width = self.queue.features.shape[1]
        if student.shape[1] != width:
            raise ValueError(f'the queue has channels={width}')
        teacher = functional.normalize(teacher.detach(), dim=1)
        loss = similarity_kl(
            self.queue.similarities(functional.normalize(student, dim=1)),
            self.queue.similarities(teacher),
            *self.temperatures,
        )
        if self.training:
            self.queue.enqueue(teacher)
        return loss
