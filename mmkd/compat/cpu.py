"""Run several processes and half precision on a CPU, where upstream fails.

Process groups: MMEngine calls ``torch.cuda.set_device`` whatever the backend, and names
a CUDA device to DistributedDataParallel. Both fail where there is none.

Half precision: where a padded axis of the input is shorter than the kernel, oneDNN's
AVX-512 kernel for the weight gradient of a convolution reads and writes outside of its
buffers: the gradient is garbage, now and then the process dies. The output and the
gradient of the input are right, so the loss looks normal. A kernel of three frames on
a map of two is such a case: the last stage of most networks here, at 16 frames. Zeros
that are put around the input by hand give the same convolution without padding, and
this is what the kernel does right.

MMAction2's heads compute the training accuracy with NumPy, which does not know bf16, so
a step in bf16 fails there. In float32 the loss is sharper as well.
"""

import functools
from collections.abc import Callable
from typing import Any

from mmkd.compat.patch import replace_in_mmengine


def no_accelerator() -> bool:
    """Tell whether the device is the CPU."""
    from mmengine.device import get_device

    return get_device() == 'cpu'


def _with_gloo(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def init_on_cpu(backend: str, **kwargs: Any) -> None:
        import torch

        set_device = torch.cuda.set_device
        torch.cuda.set_device = lambda device: None
        try:
            init('gloo', **kwargs)
        finally:
            torch.cuda.set_device = set_device

    return init_on_cpu


def patch_process_group() -> None:
    """Make MMEngine create process groups with gloo."""
    from mmengine.dist import utils

    for name in ('_init_dist_pytorch', '_init_dist_slurm', '_init_dist_mpi'):
        function = getattr(utils, name)
        replace_in_mmengine(function, _with_gloo(function))


def patch_data_parallel() -> None:
    """Pass no device to DistributedDataParallel."""
    from mmengine.model.wrappers.distributed import MMDistributedDataParallel

    init = MMDistributedDataParallel.__init__

    @functools.wraps(init)
    def init_on_cpu(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **{**kwargs, 'device_ids': None})

    MMDistributedDataParallel.__init__ = init_on_cpu


_LOW = ('torch.bfloat16', 'torch.float16')


def has_bf16_kernels() -> bool:
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
    """Return the padded axes on which an input is shorter than the kernel's reach."""
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
            pad if len(self.kernel_size) - 1 - side // 2 in axes else 0
            for side, pad in enumerate(around)
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


def pad_by_hand() -> None:
    """Make 2D and 3D convolutions pad short inputs explicitly."""
    from torch import nn

    for layer, convolve in ((nn.Conv2d, 'conv2d'), (nn.Conv3d, 'conv3d')):
        method = _padded_by_hand(layer._conv_forward, convolve)
        layer._conv_forward = method  # type: ignore[method-assign]


def numpy_refuses_bf16() -> bool:
    """Test whether NumPy refuses a tensor in bf16."""
    import torch

    try:
        torch.zeros(1, dtype=torch.bfloat16).numpy()
    except TypeError:
        return True
    return False


def _in_float32(upstream: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(upstream)
    def loss_by_feat(self: Any, cls_scores: Any, *args: Any, **kwargs: Any) -> Any:
        if str(getattr(cls_scores, 'dtype', '')) == 'torch.bfloat16':
            cls_scores = cls_scores.float()
        return upstream(self, cls_scores, *args, **kwargs)

    return loss_by_feat


def score_in_float32() -> None:
    """Make the heads compute losses in float32."""
    from mmaction.models.heads.base import BaseHead

    BaseHead.loss_by_feat = _in_float32(BaseHead.loss_by_feat)
