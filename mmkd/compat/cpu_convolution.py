"""Weight gradients of bf16 convolutions on the CPU.

Where a padded axis of the input is shorter than the kernel, oneDNN's AVX-512 kernel for
the weight gradient reads and writes outside of its buffers: the gradient is garbage,
now and then the process dies. The output and the gradient of the input are right, so
the loss looks normal. A kernel of three frames on a map of two is such a case: the last
stage of most networks here, at 16 frames.

Zeros that are put around the input by hand give the same convolution without padding,
and this is what the kernel does right.
"""

import functools
from collections.abc import Callable
from typing import Any

from mmkd.compat.cure import Cure

_LOW = ('torch.bfloat16', 'torch.float16')


def _is_present() -> bool:
    """Tell whether bf16 convolutions run in oneDNN's AVX-512 kernels here.

    The fault itself cannot be tried out in this process, which it may bring down. No
    release of oneDNN is known to be without it; 3.12 (torch 2.13) has it.
    """
    import torch

    if not torch.backends.mkldnn.is_available():
        return False
    supported = getattr(torch.ops.mkldnn, '_is_mkldnn_bf16_supported', None)
    return supported is None or bool(supported())


def _computes_in_low_precision(x: Any) -> bool:
    import torch

    if x.device.type != 'cpu' or not torch.is_grad_enabled():
        return False
    if torch.is_autocast_enabled('cpu'):
        return str(torch.get_autocast_dtype('cpu')) in _LOW
    return str(x.dtype) in _LOW


def short_axes(layer: Any, sizes: tuple[int, ...]) -> list[int]:
    """Return the padded axes on which an input is shorter than the kernel's reach.

    Args:
        layer: An ``nn.Conv2d`` or ``nn.Conv3d`` that pads with zeros.
        sizes: Size of its input on each axis of the kernel.
    """
    # Counted from the last axis, twice each: (..., H, H, W, W) reversed.
    around = layer._reversed_padding_repeated_twice
    reach = [
        dilation * (kernel - 1) + 1
        for dilation, kernel in zip(layer.dilation, layer.kernel_size, strict=True)
    ]
    last = len(reach) - 1
    return [
        axis
        for axis, (size, needed) in enumerate(zip(sizes, reach, strict=True))
        if size < needed and any(around[2 * (last - axis) : 2 * (last - axis) + 2])
    ]


def _padded_by_hand(upstream: Callable[..., Any], convolve: str) -> Callable[..., Any]:
    @functools.wraps(upstream)
    def _conv_forward(self: Any, input: Any, weight: Any, bias: Any) -> Any:
        if self.padding_mode != 'zeros' or not _computes_in_low_precision(input):
            return upstream(self, input, weight, bias)
        axes = short_axes(self, tuple(input.shape[-len(self.kernel_size) :]))
        if not axes:
            return upstream(self, input, weight, bias)
        from torch.nn import functional

        padding, around = self.padding, self._reversed_padding_repeated_twice
        if isinstance(padding, str):  # 'same', which may differ between the two sides
            axes, padding = list(range(len(self.kernel_size))), self.kernel_size
        by_hand = [
            pad if len(self.kernel_size) - 1 - place // 2 in axes else 0
            for place, pad in enumerate(around)
        ]
        rest = [0 if axis in axes else pad for axis, pad in enumerate(padding)]
        return getattr(functional, convolve)(
            functional.pad(input, by_hand),
            weight,
            bias,
            self.stride,
            rest,
            self.dilation,
            self.groups,
        )

    return _conv_forward


def _patch() -> None:
    from torch import nn

    for layer, convolve in ((nn.Conv2d, 'conv2d'), (nn.Conv3d, 'conv3d')):
        method = _padded_by_hand(layer._conv_forward, convolve)
        layer._conv_forward = method  # type: ignore[method-assign]


CPU_LOW_PRECISION_GRADIENT = Cure(
    name='torch: bf16 weight gradient of convolutions of short inputs on the CPU',
    # The kernel; we found no report of the fault.
    link='https://github.com/uxlfoundation/oneDNN/blob/v3.12/src/cpu/x64/'
    'jit_avx512_core_bf16_conv_kernel.cpp',
    needed=_is_present,
    apply=_patch,
    waits_for='torch',
)
