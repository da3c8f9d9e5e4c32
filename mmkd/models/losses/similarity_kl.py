"""Similarity distillation: the student ranks a set of anchors as the teacher does."""

from torch import Tensor, nn
from torch.nn import functional

from mmkd.registry import MODELS


def similarity_kl(
    student: Tensor,
    teacher: Tensor,
    student_temperature: float = 0.1,
    teacher_temperature: float = 0.02,
) -> Tensor:
    """Return KL(teacher || student) between two softmaxes over the same anchors.

    No gradient flows to the teacher. With the similarities ``s`` and ``t`` of student
    and teacher, ``j`` counting the K anchors::

        p_S = softmax(s / student_temperature)
        p_T = softmax(t / teacher_temperature)
        L   = mean over samples of sum_j p_T[j] * log(p_T[j] / p_S[j])

    Source: ISD, https://arxiv.org/abs/2012.09259, with the temperatures of auxSKD,
    https://arxiv.org/abs/2112.04011.

    Args:
        student: Similarities of shape ``(N, K)``.
        teacher: Similarities of shape ``(N, K)``.
        student_temperature: Defaults to 0.1.
        teacher_temperature: Defaults to 0.02.
    """
    # (N, K) each.
    log_student = functional.log_softmax(student / student_temperature, dim=1)
    log_teacher = functional.log_softmax(teacher.detach() / teacher_temperature, dim=1)
    return functional.kl_div(
        log_student, log_teacher, reduction='batchmean', log_target=True
    )


@MODELS.register_module()
class SimilarityKLLoss(nn.Module):
    """``KL(p_T || p_S)`` of similarities to the same anchors: :func:`similarity_kl`.

    Example:
        >>> import torch
        >>> loss = SimilarityKLLoss(student_temperature=0.1, teacher_temperature=0.02)
        >>> loss(torch.zeros(2, 4), torch.zeros(2, 4)).item()
        0.0
    """

    def __init__(
        self, student_temperature: float = 0.1, teacher_temperature: float = 0.02
    ) -> None:
        super().__init__()
        self.temperatures = student_temperature, teacher_temperature

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the loss of two similarity matrices of shape ``(N, K)``."""
        return similarity_kl(student, teacher, *self.temperatures)


def check_same_shape(student: Tensor, teacher: Tensor, ndim: int | None = None) -> None:
    """Refuse shapes that differ, or have another number of axes than ``ndim``.

    Raises:
        ValueError: If they differ.
    """
    shapes = f'{tuple(student.shape)} and {tuple(teacher.shape)}'
    if student.shape != teacher.shape:
        raise ValueError(f'expected two tensors of one shape, got {shapes}')
    if ndim is not None and student.ndim != ndim:
        raise ValueError(f'expected tensors of {ndim} axes, got {shapes}')
