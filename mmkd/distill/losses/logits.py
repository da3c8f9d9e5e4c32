"""Logit distillation: soft targets, logit standardization and decoupled KD (DKD)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.losses import check_same_shape
from mmkd.registry import MODELS


def standardize_logits(logits: Tensor, eps: float = 1e-7) -> Tensor:
    """Return each sample's logits ``(N, classes)`` with mean 0 and deviation 1.

    ``(z - mean(z)) / (std(z) + eps)``, the variance being the mean over classes. The
    student then need not copy how large the teacher's logits are.

    Source: *Logit Standardization in Knowledge Distillation*,
    https://arxiv.org/abs/2403.01427.
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

    Summed over classes, averaged over samples. The factor keeps the gradient's size the
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
    """``T^2 KL(softmax(teacher / T) || softmax(student / T))``: :func:`soft_target_kl`.

    Raises:
        UserError: If the temperature is not positive.

    Example:
        >>> import torch
        >>> loss = SoftTargetKL(temperature=4.0)
        >>> logits = torch.zeros(2, 5)
        >>> loss(logits, logits).item()
        0.0
    """

    #: Each sample is a distribution: the largest entry is the answer.
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


def decoupled_kd(
    student: Tensor,
    teacher: Tensor,
    labels: Tensor,
    target_weight: float = 1.0,
    other_weight: float = 8.0,
    temperature: float = 4.0,
) -> Tensor:
    """Return ``T^2 (alpha KL_target + beta KL_others)``, each KL(teacher || student).

    With a sample's softened distribution ``p = softmax(z / T)`` and its label ``y``::

        b         = [p_y, 1 - p_y]                   label, and all other classes
        q         = p_j / (1 - p_y) for all j != y   among the other classes
        KL_target = KL(b_teacher || b_student)
        KL_others = KL(q_teacher || q_student)

    In plain KD the second is weighted by the teacher's ``1 - p_y``; here by ``beta``.
    No gradient flows to the teacher.

    Source: *Decoupled Knowledge Distillation*, https://arxiv.org/abs/2203.08679.

    Args:
        student: Logits of shape ``(N, classes)``.
        teacher: Logits of shape ``(N, classes)``.
        labels: Class numbers of shape ``(N,)``.
        target_weight: alpha. Defaults to 1.0.
        other_weight: beta. Defaults to 8.0.
        temperature: T. Defaults to 4.0.

    Returns:
        A scalar, averaged over samples; exactly zero if both are equal.

    Raises:
        ValueError: If the logits differ in shape or are not ``(N, classes)``.
    """
    check_same_shape(student, teacher, ndim=2)
    of_student, of_teacher = student / temperature, teacher.detach() / temperature
    # (N, classes)
    is_target = functional.one_hot(labels, student.shape[1]).bool()
    target = _divergence(
        _two_classes(of_student, is_target), _two_classes(of_teacher, is_target)
    )
    others = _divergence(_others(of_student, is_target), _others(of_teacher, is_target))
    return (target_weight * target + other_weight * others) * temperature**2


def _two_classes(logits: Tensor, is_target: Tensor) -> Tensor:
    """Return the log-probabilities ``(N, 2)`` of the label and of all others."""
    log_probability = functional.log_softmax(logits, dim=1)
    # (N,) each.
    right = log_probability.masked_fill(~is_target, float('-inf')).logsumexp(dim=1)
    wrong = log_probability.masked_fill(is_target, float('-inf')).logsumexp(dim=1)
    return torch.stack([right, wrong], dim=1)


def _others(logits: Tensor, is_target: Tensor) -> Tensor:
    """Return the log-probabilities ``(N, classes - 1)`` among the other classes."""
    rest = logits[~is_target].view(len(logits), -1)
    return functional.log_softmax(rest, dim=1)


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    return functional.kl_div(student, teacher, reduction='batchmean', log_target=True)


@MODELS.register_module()
class DecoupledKD(nn.Module):
    """``T^2 (alpha KL_target + beta KL_others)``: see :func:`decoupled_kd`.

    Example:
        >>> loss = DecoupledKD(target_weight=1.0, other_weight=8.0)
        >>> logits, labels = torch.zeros(2, 5), torch.tensor([0, 3])
        >>> loss(logits, logits, labels).item()
        0.0
    """

    #: Each sample is a distribution: the largest entry is the answer.
    compares_classes = True

    def __init__(
        self,
        target_weight: float = 1.0,
        other_weight: float = 8.0,
        temperature: float = 4.0,
    ) -> None:
        super().__init__()
        self.settings = target_weight, other_weight, temperature

    def forward(self, student: Tensor, teacher: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of two ``(N, classes)`` and labels ``(N,)``."""
        return decoupled_kd(student, teacher, labels, *self.settings)
