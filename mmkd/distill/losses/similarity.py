"""Similarity distillation against a queue or a memory bank of teacher features."""

import torch
from mmengine.runner.checkpoint import _load_checkpoint
from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.losses import check_same_shape, similarity_kl
from mmkd.models.memory import FeatureQueue
from mmkd.registry import MODELS
from mmkd.state_dicts import named_tensors


@MODELS.register_module()
class QueueSimilarity(nn.Module):
    """KL between the similarities to a queue of the teacher's features.

    With the normalised features ``s`` of the student and ``t`` of the teacher, of width
    ``channels``, and the queue ``Q``::

        L = KL(softmax(t . Q / teacher_temperature)
               || softmax(s . Q / student_temperature))

    In training the teacher's features of all processes enter the queue afterwards. The
    queue is in the checkpoint.

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
        # (N, queue_size) each.
        loss = similarity_kl(
            self.queue.similarities(functional.normalize(student, dim=1)),
            self.queue.similarities(teacher),
            *self.temperatures,
        )
        if self.training:
            self.queue.enqueue(teacher)
        return loss


@MODELS.register_module()
class BankSimilarity(nn.Module):
    """KL between the similarities to the memory bank that the teacher has left.

    PCL keeps one feature of every training video in a memory bank, which is in its
    checkpoint. Both networks' embeddings are normalised and compared with all of it.
    The bank is constant and is read from the teacher's checkpoint each time: it is not
    in the student's. It is a moving average (EMA) of the teacher's embeddings in its
    last epochs of training. The student's own bank could not serve: its features are in
    another space than the teacher's.

    The equation is that of :class:`QueueSimilarity`, with the bank for ``Q``; the bank
    is that of PCL, https://arxiv.org/abs/2010.15464; to distil with it is ours.

    Args:
        checkpoint: The teacher's.
        bank: Name of the bank in it. Defaults to that of PCL's first view.
        student_temperature: Defaults to 0.07.
        teacher_temperature: Defaults to 0.07.

    Raises:
        UserError: If the checkpoint has no such bank.

    Example:
        The teacher has to run its task ``contrast`` for this.

        >>> loss = dict(
        ...     type='mmkd.BankSimilarity',
        ...     checkpoint='work_dirs/pcl/r3d_vcp_ucf101/epoch_200.pth',
        ... )
        >>> losses = dict(bank=dict(student='tasks.contrast.projector', loss=loss))
    """

    features: Tensor

    def __init__(
        self,
        checkpoint: str,
        bank: str = 'tasks.contrast.banks.0',
        student_temperature: float = 0.07,
        teacher_temperature: float = 0.07,
    ) -> None:
        super().__init__()
        content = _load_checkpoint(checkpoint, map_location='cpu')
        state = named_tensors(content, source=checkpoint)
        features = state.get(f'{bank}.features')
        if not isinstance(features, Tensor) or features.ndim != 2 or not len(features):
            ending = '.features'
            known = [k.removesuffix(ending) for k in state if k.endswith(ending)]
            raise UserError(
                f'{checkpoint} has no memory bank {bank!r}; it has: '
                f'{", ".join(known) or "none"}',
                'Name one, or take a teacher that PCL has trained.',
            )
        self.register_buffer('features', features.float(), persistent=False)
        self.temperatures = student_temperature, teacher_temperature

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the loss of embeddings ``(N, C)`` twice.

        Raises:
            ValueError: If the shapes differ, or the width is not that of the bank.
        """
        check_same_shape(student, teacher, ndim=2)
        width = self.features.shape[1]
        if student.shape[1] != width:
            raise ValueError(f'the bank has features of width {width}')
        return similarity_kl(
            self._similarities(student),
            self._similarities(teacher.detach()),
            *self.temperatures,
        )

    def _similarities(self, x: Tensor) -> Tensor:
        """Return the dot products ``(N, size)`` of normalised ``x`` with the bank."""
        # Divided by a temperature of 0.07, half precision would be too coarse.
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        with torch.autocast(x.device.type, enabled=False):
            return functional.normalize(x, dim=1) @ self.features.to(x.dtype).t()
