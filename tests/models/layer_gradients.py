"""The gradient of every weight of a network, layer by layer, against float64.

End to end, a bf16 gradient of a deep network differs from the exact one by a quarter
of its length: each ReLU and each maximum that falls the other way adds its share. That
says nothing about a layer. So every layer is given what it saw in that very run, its
input and the gradient of its output, and computes its gradients again in float64.

The metric is the error in units of what the arithmetic allows: a sum of products
``x * g`` that is rounded to relative precision ``eps`` is wrong by at most
``eps * sum(|x| * |g|)``. A batch normalisation multiplies ``g`` by
``(x - mean) / std``, where the subtraction is wrong by ``eps * |mean|``.

oneDNN's bf16 kernels sum in float32 and round once. Where a CPU has none, PyTorch adds
the samples of a batch up one by one in bf16: one rounding a sample, so that many times
as much is allowed there (measured on AVX2: 0.99 for one sample, 1.95 for two, 2.8 for
four, 4.4 for eight).
"""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmkd.compat.cpu import has_bf16_kernels

LOW = torch.bfloat16
# bf16 has eight bits. A sum of n float32 is wrong by some log2(n) roundings if it is
# taken in blocks; 32 allows for that.
EPSILON = {'bf16': 2.0**-8, 'fp32': 32 * 2.0**-23}


@dataclass
class Seen:
    """What a layer saw: its input, and the gradient of its output."""

    x: Tensor
    gradient: Tensor | None = None


def watch(network: nn.Module) -> dict[str, Seen]:
    """Record, in the next passes, what each layer with weights sees."""
    seen: dict[str, Seen] = {}

    def record(name: str):
        def hook(layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
            seen[name] = one = Seen(inputs[0].detach().clone())
            # Before an in-place ReLU takes the output over.
            output.register_hook(lambda g: setattr(one, 'gradient', g.clone()))

        return hook

    for name, layer in network.named_modules():
        if layer._parameters and any(p is not None for p in layer._parameters.values()):
            layer.register_forward_hook(record(name))
    return seen


def worst_error(layer: nn.Module, seen: Seen, precision: str) -> float:
    """Return the largest error of a weight's gradient, in units of the allowed one."""
    rounded = precision == 'bf16' and not isinstance(layer, nn.BatchNorm3d)
    x = (seen.x.to(LOW) if rounded else seen.x).double()
    g = seen.gradient.double()
    if isinstance(layer, nn.BatchNorm3d):
        axes, mean = (0, 2, 3, 4), x.mean((0, 2, 3, 4), keepdim=True)
        scale = (x.var(axes, correction=0, keepdim=True) + layer.eps).rsqrt()
        normal, slip = (x - mean) * scale, mean.abs() * scale
        exact = {'weight': (normal * g).sum(axes), 'bias': g.sum(axes)}
        sizes = {'weight': (normal.abs() + slip) * g.abs(), 'bias': g.abs()}
        allowed = {key: value.sum(axes) for key, value in sizes.items()}
    else:
        exact = exact_gradients(layer, x, g)
        allowed = exact_gradients(layer, x.abs(), g.abs())
        if rounded and not has_bf16_kernels():
            allowed = {key: len(x) * value for key, value in allowed.items()}
    errors = [0.0]
    for name, value in layer.named_parameters():
        wrong = (value.grad.double() - exact[name]).abs()
        unit = EPSILON[precision] * allowed[name] + 1e-30
        errors.append(float((wrong / unit).nan_to_num(torch.inf).max()))
    return max(errors)


def exact_gradients(layer: nn.Module, x: Tensor, g: Tensor) -> dict[str, Tensor]:
    """Return the gradients of a convolution or linear layer."""
    twin = copy.deepcopy(layer).double()
    twin._forward_hooks.clear()
    twin.zero_grad()
    twin(x).backward(g)
    return {name: value.grad for name, value in twin.named_parameters()}
