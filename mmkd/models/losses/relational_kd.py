"""RKD: the student's features relate to each other as the teacher's do."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmkd.models.memory.gather import gather_rows
from mmkd.models.memory.gather_with_gradient import gather_with_gradient
from mmkd.registry import MODELS


def relational_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Compare the pairwise distances within a batch, each set by its own mean.

    Huber loss (corner at 1) between the matrices of Euclidean distances, divided by
    the mean over pairs of different rows; averaged over all ``N^2`` entries. Widths may
    differ. No gradient flows to the teacher.

    Source: *Relational Knowledge Distillation*, https://arxiv.org/abs/1904.05068.

    Args:
        student: Features ``(N, C)``.
        teacher: Features ``(N, D)``.

    Returns:
        A scalar; exactly zero if both are equal.

    Raises:
        ValueError: If they are not two sets of as many vectors.
    """
    _check(student, teacher)
    theirs = _relative_distances(teacher.detach())
    return functional.smooth_l1_loss(_relative_distances(student), theirs)


def relational_angle(student: Tensor, teacher: Tensor) -> Tensor:
    """Compare the cosines of the angles that triplets of a batch form.

    Huber loss (corner at 1), averaged over all ``N^3`` triplets; degenerate ones give
    0 on both sides. Widths may differ. No gradient flows to the teacher.

    Source: *Relational Knowledge Distillation*, https://arxiv.org/abs/1904.05068.

    Args:
        student: Features ``(N, C)``.
        teacher: Features ``(N, D)``.

    Returns:
        A scalar; exactly zero if both are equal.

    Raises:
        ValueError: If they are not two sets of as many vectors.
    """
    _check(student, teacher)
    return functional.smooth_l1_loss(_cosines(student), _cosines(teacher.detach()))


def _check(student: Tensor, teacher: Tensor) -> None:
    if student.ndim != 2 or teacher.ndim != 2 or len(student) != len(teacher):
        raise ValueError(
            'expected as many vectors twice, (N, C) and (N, D), got '
            f'{tuple(student.shape)} and {tuple(teacher.shape)}'
        )


def _relative_distances(features: Tensor) -> Tensor:
    """Return ``(N, N)`` distances whose mean off the diagonal is 1."""
    squares = (features[:, None] - features[None]).square().sum(dim=2)
    # A root has no gradient at 0, where equal rows and the diagonal lie.
    same = squares == 0
    distances = squares.masked_fill(same, 1.0).sqrt().masked_fill(same, 0.0)
    pairs = max(len(features) * (len(features) - 1), 1)
    mean = distances.sum() / pairs
    return distances / mean.clamp(min=torch.finfo(mean.dtype).tiny)


def _cosines(features: Tensor) -> Tensor:
    """Return the cosine ``(N, N, N)`` of the angle at each row to pairs of others."""
    directions = functional.normalize(features[None] - features[:, None], dim=2)
    return directions @ directions.transpose(1, 2)


@MODELS.register_module()
class RelationalKD(nn.Module):
    """Distances and angles among the rows of all processes, ``(N, C)`` and ``(N, D)``.

    On several processes the relations are those of the joined batch, so that training
    equals that on one. Memory grows with the cube of the joined batch (angles).

    Source: https://arxiv.org/abs/1904.05068.

    Args:
        distance_weight: Defaults to 1.0.
        angle_weight: Defaults to 2.0, the paper's ratio; its absolute weights are for
            metric learning.

    Example:
        >>> loss = RelationalKD(distance_weight=1.0, angle_weight=2.0)
        >>> student, teacher = torch.eye(3), 2 * torch.eye(3, 4)
        >>> round(loss(student, teacher).item(), 6)
        0.0
    """

    def __init__(self, distance_weight: float = 1.0, angle_weight: float = 2.0) -> None:
        super().__init__()
        self.distance_weight = distance_weight
        self.angle_weight = angle_weight

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the loss of features ``(N, C)`` and ``(N, D)``."""
        _check(student, teacher)
        student, _ = gather_with_gradient(student)
        teacher = gather_rows(teacher)
        return self.distance_weight * relational_distance(
            student, teacher
        ) + self.angle_weight * relational_angle(student, teacher)
