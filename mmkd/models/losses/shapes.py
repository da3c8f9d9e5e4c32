"""What losses demand of their arguments."""

from torch import Tensor


def check_same_shape(student: Tensor, teacher: Tensor, ndim: int | None = None) -> None:
    """Refuse shapes that would broadcast silently. Source: ours.

    Args:
        student: Any tensor.
        teacher: Must have the same shape.
        ndim: Number of axes both must have. Defaults to None: any.

    Raises:
        ValueError: If they do not.
    """
    shapes = f'{tuple(student.shape)} and {tuple(teacher.shape)}'
    if student.shape != teacher.shape:
        raise ValueError(f'expected two tensors of one shape, got {shapes}')
    if ndim is not None and student.ndim != ndim:
        raise ValueError(f'expected tensors of {ndim} axes, got {shapes}')
