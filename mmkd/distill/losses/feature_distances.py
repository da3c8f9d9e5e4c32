"""Feature distillation: distances of features, and relational KD."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.losses import check_same_shape
from mmkd.models.memory import gather_rows, gather_with_gradient
from mmkd.registry import MODELS

Distance = Literal['mse', 'cosine', 'smooth_l1']


def feature_distance(
    student: Tensor,
    teacher: Tensor,
    distance: Distance = 'mse',
    normalize: bool = False,
) -> Tensor:
    """Return the mean distance of two features, or of two maps position by position.

    With the channel vectors ``s`` and ``t`` of student and teacher at one position;
    no gradient flows to the teacher::

        'mse'       L = mean over elements of (s - t)^2
        'smooth_l1' L = mean over elements of d^2 / 2 if d < 1 else d - 1/2, d = |s - t|
        'cosine'    L = mean over positions of 1 - cos(s, t)

    The cosine is computed as half the squared distance of unit vectors, which is
    exactly zero for equal ones.

    Source: FitNets, https://arxiv.org/abs/1412.6550, for hints by squared distance; the
    other forms are common.

    Args:
        student: Pooled features ``(N, C)`` or maps ``(N, C, ...)``.
        teacher: The same shape.
        distance: ``'mse'``, ``'cosine'`` or ``'smooth_l1'`` (with its corner at 1).
            Defaults to ``'mse'``.
        normalize: Bring the channel vectors to unit length first; ``'cosine'`` does so
            in any case. Defaults to False.

    Returns:
        A scalar; exactly zero if both are equal.

    Raises:
        ValueError: If the shapes differ.
    """
    check_same_shape(student, teacher)
    teacher = teacher.detach()
    if normalize or distance == 'cosine':
        student = functional.normalize(student, dim=1)
        teacher = functional.normalize(teacher, dim=1)
    if distance == 'smooth_l1':
        return functional.smooth_l1_loss(student, teacher)
    if distance == 'cosine':
        return (student - teacher).square().sum(dim=1).mean() / 2
    return functional.mse_loss(student, teacher)


@MODELS.register_module()
class FeatureDistance(nn.Module):
    """Mean of ``(s - t)^2``, smooth L1 or ``1 - cos(s, t)``: :func:`feature_distance`.

    Raises:
        UserError: If there is no such distance.

    Example:
        >>> import torch
        >>> loss = FeatureDistance(distance='cosine')
        >>> loss(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]])).item()
        1.0
        >>> maps = torch.ones(2, 4, 1, 7, 7)
        >>> FeatureDistance(distance='mse')(0 * maps, 3 * maps).item()
        9.0
    """

    def __init__(self, distance: Distance = 'mse', normalize: bool = False) -> None:
        super().__init__()
        if distance not in get_args(Distance):
            known = ', '.join(get_args(Distance))
            raise UserError(
                f'there is no distance {distance!r}', f'Use one of {known}.'
            )
        self.distance: Distance = distance
        self.normalize = normalize

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the loss of two tensors of one shape ``(N, C, ...)``."""
        return feature_distance(student, teacher, self.distance, self.normalize)


def relational_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the Huber loss between the pairwise distances within two batches.

    The corner of the loss is at 1. Widths may differ. No gradient flows to the
    teacher. With the features ``f_i`` of the N samples, of either network::

        d_ij = |f_i - f_j| / mean_(k != l) |f_k - f_l|
        L    = mean over all N^2 pairs of smooth_l1(d_ij of student, d_ij of teacher)

    Source: *Relational Knowledge Distillation*, https://arxiv.org/abs/1904.05068.

    Args:
        student: Features ``(N, C)``.
        teacher: Features ``(N, D)``.

    Raises:
        ValueError: If they are not two sets of as many vectors.
    """
    _check(student, teacher)
    target = _relative_distances(teacher.detach())
    return functional.smooth_l1_loss(_relative_distances(student), target)


def relational_angle(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the Huber loss between the cosines of the angles of all triplets.

    Triplets that name a sample twice add 0. Source, arguments, errors and ``f_i`` as in
    :func:`relational_distance`; the corner of the loss is at 1::

        a_ijk = cos(f_j - f_i, f_k - f_i)
        L     = mean over all N^3 of smooth_l1(a_ijk of student, a_ijk of teacher)
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
    # (N, N, C) is summed to (N, N).
    squares = (features[:, None] - features[None]).square().sum(dim=2)
    # A root has no gradient at 0, where equal samples and the diagonal lie.
    same = squares == 0
    distances = squares.masked_fill(same, 1.0).sqrt().masked_fill(same, 0.0)
    pairs = max(len(features) * (len(features) - 1), 1)
    mean = distances.sum() / pairs
    return distances / mean.clamp(min=torch.finfo(mean.dtype).tiny)


def _cosines(features: Tensor) -> Tensor:
    """Return the cosine ``(N, N, N)`` of the angle at each sample to two others."""
    # (N, N, C): [i, j] points from sample i to sample j.
    directions = functional.normalize(features[None] - features[:, None], dim=2)
    return directions @ directions.transpose(1, 2)


@MODELS.register_module()
class RelationalKD(nn.Module):
    """Distances and angles among the samples of all processes (relational KD).

    ``L = distance_weight * relational_distance + angle_weight * relational_angle``. On
    several processes the relations are those of the joined batch, so that training
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
        # (R, C) and (R, D): the samples of all processes.
        student, _ = gather_with_gradient(student)
        teacher = gather_rows(teacher)
        return self.distance_weight * relational_distance(
            student, teacher
        ) + self.angle_weight * relational_angle(student, teacher)
