"""Feature distillation: the student's features lie near the teacher's."""

from typing import Literal, get_args

from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.losses.shapes import check_same_shape
from mmkd.registry import MODELS

Distance = Literal['mse', 'cosine', 'smooth_l1']


def feature_distance(
    student: Tensor,
    teacher: Tensor,
    distance: Distance = 'mse',
    normalize: bool = False,
) -> Tensor:
    """Return the mean distance of two features, or of two maps place by place.

    ``'mse'`` and ``'smooth_l1'`` are means over all elements; ``'cosine'`` is one minus
    the cosine between channel vectors, averaged over places and rows. It is computed as
    half the squared distance of unit vectors, which is exactly zero for equal ones.
    No gradient flows to the teacher.

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
    """Registered form of :func:`feature_distance`; ``(N, C)`` or ``(N, C, ...)`` twice.

    Source: https://arxiv.org/abs/1412.6550.

    Args:
        distance: ``'mse'``, ``'cosine'`` or ``'smooth_l1'``. Defaults to ``'mse'``.
        normalize: Defaults to False.

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
