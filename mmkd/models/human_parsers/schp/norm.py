"""The normalisation of SCHP, without compiled code."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class AbsoluteScaleNorm(nn.Module):
    """Batch normalisation in eval mode whose scale is ``|weight| + eps``.

    SCHP was trained with in-place activated normalisation, whose kernels take the
    absolute scale and, where asked for, add a leaky ReLU of slope 0.01. With the plain
    scale every channel of negative weight changes its sign.

    Source: the behaviour of ``modules/src/inplace_abn_cpu.cpp`` in
    https://github.com/GoGoDuck912/Self-Correction-Human-Parsing (MIT), after
    https://arxiv.org/abs/1712.02616; written anew. There is no counter of batches, as
    in the official checkpoints.

    Args:
        channels: Number of channels.
        leaky: Whether the leaky ReLU follows. Defaults to False.
        eps: Added to the variance and to the scale. Defaults to 1e-5.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, leaky: bool = False, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer('running_mean', torch.zeros(channels))
        self.register_buffer('running_var', torch.ones(channels))
        self.leaky = leaky
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``(N, C, H, W)`` with the running statistics."""
        scale = self.weight.abs() + self.eps
        x = functional.batch_norm(
            x, self.running_mean, self.running_var, scale, self.bias, eps=self.eps
        )
        return functional.leaky_relu(x, 0.01) if self.leaky else x


def conv_norm(
    inputs: int, outputs: int, kernel: int = 1, leaky: bool = True
) -> list[nn.Module]:
    """Return a convolution without bias that keeps the size, and its normalisation."""
    padding = kernel // 2
    conv = nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=False)
    return [conv, AbsoluteScaleNorm(outputs, leaky)]
