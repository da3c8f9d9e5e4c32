"""Soft targets: the student's class distribution follows the teacher's."""

from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.losses.shapes import check_same_shape
from mmkd.registry import MODELS


def standardize_logits(logits: Tensor, eps: float = 1e-7) -> Tensor:
    """Bring each row to mean 0 and deviation 1.

    The student then need not copy how large the teacher's logits are.

    Source: *Logit Standardization in Knowledge Distillation*,
    https://arxiv.org/abs/2403.01427.

    Args:
        logits: Shape ``(N, classes)``.
        eps: Added to the deviation (that of the whole row, divided by the number of
            classes). Defaults to 1e-7.

    Returns:
        Shape ``(N, classes)``.
    """
    centred = logits - logits.mean(dim=1, keepdim=True)
    return centred / (logits.std(dim=1, keepdim=True, correction=0) + eps)


def soft_target_kl(
    student: Tensor,
    teacher: Tensor,
    temperature: float = 4.0,
    standardize: bool = False,
) -> Tensor:
    """Return ``T^2 KL(softmax(teacher / T) || softmax(student / T))``.

    Summed over classes, averaged over rows. The factor keeps the gradient's size the
    same whatever the temperature. No gradient flows to the teacher.

    Source: *Distilling the Knowledge in a Neural Network*,
    https://arxiv.org/abs/1503.02531.

    Args:
        student: Logits of shape ``(N, classes)``.
        teacher: Logits of shape ``(N, classes)``.
        temperature: T. Defaults to 4.0.
        standardize: Standardise both first, see :func:`standardize_logits`.
            Defaults to False.

    Returns:
        A scalar; exactly zero if both are equal.

    Raises:
        ValueError: If the shapes differ or are not ``(N, classes)``.
    """
    check_same_shape(student, teacher, ndim=2)
    teacher = teacher.detach()
    if standardize:
        student, teacher = standardize_logits(student), standardize_logits(teacher)
    divergence = functional.kl_div(
        functional.log_softmax(student / temperature, dim=1),
        functional.log_softmax(teacher / temperature, dim=1),
        reduction='batchmean',
        log_target=True,
    )
    return divergence * temperature**2


@MODELS.register_module()
class SoftTargetKL(nn.Module):
    """Registered form of :func:`soft_target_kl`.

    Takes the logits of student and teacher, each of shape ``(N, classes)``.

    Source: https://arxiv.org/abs/1503.02531.

    Args:
        temperature: Defaults to 4.0.
        standardize: Standardise the logits (https://arxiv.org/abs/2403.01427).
            Defaults to False.

    Raises:
        UserError: If the temperature is not positive.

    Example:
        >>> import torch
        >>> loss = SoftTargetKL(temperature=4.0)
        >>> logits = torch.zeros(2, 5)
        >>> loss(logits, logits).item()
        0.0
    """

    #: Rows are distributions: the largest entry is the answer.
    compares_classes = True

    def __init__(self, temperature: float = 4.0, standardize: bool = False) -> None:
        super().__init__()
        if temperature <= 0:
            raise UserError(f'temperature {temperature}', 'Give a positive number.')
        self.temperature = temperature
        self.standardize = standardize

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the loss of two logits of the shape ``(N, classes)``."""
        return soft_target_kl(student, teacher, self.temperature, self.standardize)
