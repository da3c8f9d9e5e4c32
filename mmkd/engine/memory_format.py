"""The order of a network's values in memory."""

from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor, nn

from mmkd.errors import UserError

FORMATS = {
    'contiguous': torch.contiguous_format,
    'channels_last_3d': torch.channels_last_3d,
}


def set_memory_format(model: nn.Module, name: str) -> None:
    """Store the kernels of all 3D convolutions of a model in another order.

    A convolution computes in the order of its kernel and hands its map on in it, so
    this is all that a network needs; the first layer brings its input into the order.
    Values, names and shapes stay. Teachers beside the model are included.

    Args:
        model: The model, before it is wrapped for several processes.
        name: ``'channels_last_3d'`` keeps the channels of a pixel together, which the
            tensor cores of a GPU and bf16 on a CPU compute in;
            ``'contiguous'`` is PyTorch's own.

    Raises:
        UserError: If there is no such order.
    """
    if name not in FORMATS:
        raise UserError(
            f'memory_format is {name!r}', f'Choose one of {", ".join(FORMATS)}.'
        )

    def reorder(tensor: Tensor) -> Tensor:
        if tensor.dim() != 5:
            return tensor
        return tensor.contiguous(memory_format=FORMATS[name])

    # Not `to(memory_format=...)`, which fails at a model that has 2D kernels as well.
    model._apply(reorder)


def apply_memory_format(model: nn.Module, cfg: Config | dict[str, Any]) -> None:
    """Do what a config's ``memory_format`` says, if it says anything.

    Raises:
        UserError: If there is no such order.
    """
    name = cfg.get('memory_format')
    if name is not None:
        set_memory_format(model, name)
