"""Where mixed precision ends: heads and losses compute in float32."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

_LOW = (torch.bfloat16, torch.float16)


@contextmanager
def full_precision(tensor: Tensor) -> Iterator[None]:
    """Switch autocast off on the device of a tensor.

    bfloat16 has eight bits: a cosine of 0.9 over a temperature of 0.02 is off by up to
    0.1, so a teacher's probabilities by a tenth, and autocast on a CPU does not even
    compute a softmax in float32. What follows the last map costs next to nothing.
    Source: ours.

    Args:
        tensor: Any tensor on that device.
    """
    with torch.autocast(tensor.device.type, enabled=False):
        yield


def at_least_float32(tensor: Tensor) -> Tensor:
    """Return the tensor in float32 if it is in half precision, else as it is."""
    return tensor.float() if tensor.dtype in _LOW else tensor
