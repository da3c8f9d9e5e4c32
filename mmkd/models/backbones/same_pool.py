"""Max-pooling with the padding that the TensorFlow networks were trained with."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional


class SamePool3d(nn.Module):
    """Max-pooling of maps that are not negative, padded behind the data.

    Zeros are put behind the data, ``kernel - stride`` of them shared between both sides
    with the larger share behind, and the size is rounded up. That is TensorFlow's SAME
    only where the size is a multiple of the stride; the released S3D-G
    (https://arxiv.org/abs/1712.04851) does it always.

    Args:
        kernel_size: Size on each axis.
        stride: Stride on each axis.
    """

    def __init__(self, kernel_size: Sequence[int], stride: Sequence[int]) -> None:
        super().__init__()
        self.kernel_size, self.stride = tuple(kernel_size), tuple(stride)
        self.padding: list[int] = []
        # functional.pad counts axes from the last one.
        for size, step in zip(self.kernel_size[::-1], self.stride[::-1], strict=True):
            surplus = max(size - step, 0)
            self.padding += [surplus // 2, surplus - surplus // 2]

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled map of ``x``, shape ``(N, C, T, H, W)``."""
        padded = functional.pad(x, self.padding)
        return functional.max_pool3d(
            padded, self.kernel_size, self.stride, ceil_mode=True
        )
