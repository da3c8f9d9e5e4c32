"""Train in mixed precision on GPU and CPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

import torch
from mmengine.device import get_device
from mmengine.optim import AmpOptimWrapper as GpuAmpOptimWrapper
from mmengine.optim import OptimWrapper
from torch import nn

from mmkd.errors import UserError
from mmkd.registry import OPTIM_WRAPPERS

Precision = Literal['bfloat16', 'float16', 'auto']
LossScale = Literal['dynamic'] | float | dict[str, Any]


@OPTIM_WRAPPERS.register_module()
class AmpOptimWrapper(GpuAmpOptimWrapper):
    """MMEngine's wrapper of this name, which also runs on the CPU.

    The step runs under ``torch.autocast`` of the device, and weights, gradients and the
    optimiser's state stay in float32. bfloat16 has the range of float32 and needs no
    loss scale; float16 gets one.

    Source: https://docs.pytorch.org/docs/stable/amp.html; the choice of precision is
    ours.

    Args:
        dtype: ``'bfloat16'`` or ``'float16'``. Defaults to None: bfloat16 where the
            device computes in it, on a GPU without it float16. ``'auto'``: the same,
            but float32 on a CPU that has no instructions for bfloat16 and would have to
            imitate it.
        loss_scale: Of float16 only: ``'dynamic'``, a fixed scale, or the arguments of
            ``torch.amp.GradScaler``. Defaults to ``'dynamic'``.
        **kwargs: Arguments of MMEngine's ``OptimWrapper``: ``optimizer``,
            ``accumulative_counts``, ``clip_grad``.

    Attributes:
        device: Kind of device that the step runs on, e.g. ``'cuda'``.
        loss_scaler: The scaler; with bfloat16 one that does nothing.

    Raises:
        UserError: If the precision is not known, or does not run on this device.

    Example:
        >>> optim_wrapper = dict(type='mmkd.AmpOptimWrapper', dtype='auto')
        >>> sgd = dict(type='SGD', lr=0.01, momentum=0.9)
        >>> optim_wrapper = dict(
        ...     type='mmkd.AmpOptimWrapper', dtype='float16', loss_scale=512.0,
        ...     optimizer=sgd, accumulative_counts=4,
        ... )
    """

    def __init__(
        self,
        dtype: Precision | None = None,
        loss_scale: LossScale = 'dynamic',
        **kwargs: Any,
    ) -> None:
        # Not upstream's own, which refuses a machine without an accelerator.
        OptimWrapper.__init__(self, **kwargs)
        self.device = get_device()
        self.cast_dtype = getattr(torch, _precision(dtype, self.device))
        # Named by upstream: a fixed scale is set again after each step.
        self._scale_update_param = None
        options: dict[str, Any] = {}
        if isinstance(loss_scale, dict):
            options = loss_scale
        elif loss_scale != 'dynamic':
            self._scale_update_param = float(loss_scale)
            options = {'init_scale': float(loss_scale)}
        scaled = self.cast_dtype == torch.float16
        self.loss_scaler = torch.amp.GradScaler(self.device, enabled=scaled, **options)

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enable autocast, and keep gradients local while they accumulate."""
        with (
            OptimWrapper.optim_context(self, model),
            torch.autocast(
                self.device,
                dtype=self.cast_dtype,
                enabled=self.cast_dtype != torch.float32,
            ),
        ):
            yield


def _precision(asked: str | None, device: str) -> str:
    if asked not in (None, *get_args(Precision)):
        raise UserError(
            f'optim_wrapper.dtype is {asked!r}', "Give 'bfloat16', 'float16' or 'auto'."
        )
    if asked == 'auto':
        if device == 'cpu' and not _cpu_has_bf16():
            return 'float32'
        asked = None
    has_bf16 = device != 'cuda' or torch.cuda.is_bf16_supported(False)
    if asked == 'bfloat16' and not has_bf16:
        raise UserError(
            'this GPU does not compute in bfloat16', "Give dtype='float16' instead."
        )
    if asked == 'float16' and device == 'cpu':
        raise UserError(
            'float16 is for GPUs only', "Give dtype='bfloat16', or leave dtype out."
        )
    return asked or ('bfloat16' if has_bf16 else 'float16')


def _cpu_has_bf16() -> bool:
    """Tell whether this CPU has instructions for bfloat16, as far as torch knows."""
    names = ('_is_avx512_bf16_supported', '_is_amx_tile_supported')
    return any(getattr(torch.cpu, name, bool)() for name in names)
