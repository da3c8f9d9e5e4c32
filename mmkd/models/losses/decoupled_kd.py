"""DKD: soft targets, the labelled class apart from the others."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmkd.models.losses.shapes import check_same_shape
from mmkd.registry import MODELS


def decoupled_kd(
    student: Tensor,
    teacher: Tensor,
    labels: Tensor,
    target_weight: float = 1.0,
    other_weight: float = 8.0,
    temperature: float = 4.0,
) -> Tensor:
    """Return ``T^2 (alpha KL_target + beta KL_others)``.

    The first divergence compares (labelled class, all others) as two classes; the
    second compares the distributions over the others alone. Their usual sum weighs the
    second by how unsure the teacher is; here it gets a weight of its own.

    Source: *Decoupled Knowledge Distillation*, https://arxiv.org/abs/2203.08679.

    Args:
        student: Logits of shape ``(N, classes)``.
        teacher: Logits of shape ``(N, classes)``.
        labels: Class numbers of shape ``(N,)``.
        target_weight: alpha. Defaults to 1.0.
        other_weight: beta. Defaults to 8.0.
        temperature: T. Defaults to 4.0.

    Returns:
        A scalar, averaged over rows; exactly zero if both are equal.

    Raises:
        ValueError: If the logits differ in shape or are not ``(N, classes)``.
    """
    check_same_shape(student, teacher, ndim=2)
    mine, theirs = student / temperature, teacher.detach() / temperature
    is_target = functional.one_hot(labels, student.shape[1]).bool()
    target = _divergence(_two_classes(mine, is_target), _two_classes(theirs, is_target))
    others = _divergence(_others(mine, is_target), _others(theirs, is_target))
    return (target_weight * target + other_weight * others) * temperature**2


def _two_classes(logits: Tensor, is_target: Tensor) -> Tensor:
    """Return the log-probabilities ``(N, 2)`` of the label and of all others."""
    log_probability = functional.log_softmax(logits, dim=1)
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
    """Registered form of :func:`decoupled_kd`.

    Logits have shape ``(N, classes)``, labels ``(N,)``.

    Source: https://arxiv.org/abs/2203.08679.

    Args:
        target_weight: Defaults to 1.0.
        other_weight: Defaults to 8.0.
        temperature: Defaults to 4.0.

    Example:
        >>> loss = DecoupledKD(target_weight=1.0, other_weight=8.0)
        >>> logits, labels = torch.zeros(2, 5), torch.tensor([0, 3])
        >>> loss(logits, logits, labels).item()
        0.0
    """

    #: Rows are distributions: the largest entry is the answer.
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
