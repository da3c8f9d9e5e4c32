"""Small parts between a backbone and a loss, all in full precision."""

import torch
from torch import Tensor, nn

from mmkd.errors import UserError

_LOW = (torch.bfloat16, torch.float16)


def output_width(backbone: nn.Module) -> int:
    """Return the channels ``C`` of the last map ``(N, C, t, h, w)``.

    Our networks say it as ``out_channels``, MMAction2's ``ResNet3d`` as ``feat_dim``.

    Raises:
        UserError: If the backbone says neither.
    """
    for attribute in ('out_channels', 'feat_dim'):
        width = getattr(backbone, attribute, None)
        if isinstance(width, int):
            return width
    raise UserError(
        f'{type(backbone).__name__} does not say how many channels it delivers',
        'Give it an attribute out_channels.',
    )


def full_precision(tensor: Tensor) -> torch.autocast:
    """Return a context without autocast on the device of a tensor.

    bfloat16 has eight bits: a cosine of 0.9 over a temperature of 0.02 is off by up to
    0.1, so a teacher's probabilities by a tenth, and autocast on a CPU does not even
    compute a softmax in float32. What follows the last map costs next to nothing.
    """
    return torch.autocast(tensor.device.type, enabled=False)


def at_least_float32(tensor: Tensor) -> Tensor:
    """Return the tensor in float32 if it is in half precision, else as it is."""
    return tensor.float() if tensor.dtype in _LOW else tensor


def pool_map(x: Tensor) -> Tensor:
    """Average a map ``(N, C, t, h, w)`` over space and time to ``(N, C)``."""
    return x.mean(dim=(2, 3, 4))


def mlp(
    in_channels: int,
    out_channels: int,
    hidden_channels: int | None = None,
    batch_norm: bool = True,
) -> nn.Sequential:
    """Return a linear layer, or two with BatchNorm and ReLU between them.

    Args:
        in_channels: Width of the input ``(N, in_channels)``.
        out_channels: Width of the output ``(N, out_channels)``.
        hidden_channels: Width of the hidden layer. Defaults to None: none.
        batch_norm: BatchNorm before the ReLU. Defaults to True.
    """
    if hidden_channels is None:
        return nn.Sequential(nn.Linear(in_channels, out_channels))
    norm = [nn.BatchNorm1d(hidden_channels)] if batch_norm else []
    return nn.Sequential(
        nn.Linear(in_channels, hidden_channels),
        *norm,
        nn.ReLU(inplace=True),
        nn.Linear(hidden_channels, out_channels),
    )


class Projection(nn.Module):
    """Pool a map ``(N, C, t, h, w)`` over space and time and project it, ``(N, D)``.

    The part of a task that belongs to the encoder: a momentum teacher holds a copy.
    Source: SimCLR, https://arxiv.org/abs/2002.05709; one linear layer in auxSKD.
    Arguments as in :func:`mlp`.
    """

    def __init__(
        self, in_channels: int, out_channels: int, hidden_channels: int | None = None
    ) -> None:
        super().__init__()
        self.layers = mlp(in_channels, out_channels, hidden_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(N, out_channels)`` for a map ``(N, in_channels, t, h, w)``."""
        return self.layers(pool_map(x))
