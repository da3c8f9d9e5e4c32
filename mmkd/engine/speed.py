"""Speed up a step: memory format, compilation, fused optimisers."""

import inspect
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import OPTIMIZERS
from torch import Tensor, nn

from mmkd.engine.trained_model import unwrap
from mmkd.errors import UserError

FORMATS = {
    'contiguous': torch.contiguous_format,
    'channels_last_3d': torch.channels_last_3d,
}


def set_memory_format(model: nn.Module, name: str) -> None:
    """Set the memory format of all 3D convolutions of a model.

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
    teacher = getattr(model, 'teacher', None)
    if isinstance(teacher, nn.Module):
        teacher._apply(reorder)


def apply_memory_format(model: nn.Module, cfg: Config | dict[str, Any]) -> None:
    """Apply the ``memory_format`` of a config, if it has one."""
    name = cfg.get('memory_format')
    if name is not None:
        set_memory_format(model, name)


def compile_networks(model: nn.Module, options: Any) -> list[str]:
    """Compile each backbone below a model, in place; names of weights stay.

    MMEngine compiles ``train_step`` as a whole, which breaks the graph at every sample,
    log value and memory of it; the arithmetic is in the networks. They are compiled
    when they are first used.

    Args:
        model: The model, wrapped or not.
        options: True, or a dict of arguments of ``torch.compile``.

    Raises:
        UserError: If ``options`` is something else, or there is no backbone.
    """
    if not (options is True or isinstance(options, dict)):
        raise UserError(f'compile is {options!r}', 'Give True or a dict of arguments.')
    model = unwrap(model)
    # A distiller's teacher is beside the model, not in it.
    beside = getattr(model, 'teacher', None)
    roots = {'': model, 'teacher.': beside} if isinstance(beside, nn.Module) else None
    found = {
        f'{prefix}{name}': module
        for prefix, root in (roots or {'': model}).items()
        for name, module in root.named_modules()
        if name.split('.')[-1] == 'backbone'
    }
    if not found:
        raise UserError('compile: the model has no backbone', 'Leave compile out.')
    for module in found.values():
        module.compile(**(options if isinstance(options, dict) else {}))
    return list(found)


_DEVICES = ('cpu', 'cuda')


def with_fused_step(wrapper: dict[str, Any], device: str) -> dict[str, Any]:
    """Return the config of an optimiser wrapper whose optimiser is ``fused``.

    PyTorch's SGD, Adam, AdamW and Adagrad can update all weights in one pass over
    memory. What a config says itself stays, and so does an optimiser that has no such
    form, and a wrapper whose optimiser is built elsewhere.

    Source: the argument ``fused`` of https://docs.pytorch.org/docs/stable/optim.html.
    """
    optimizer = wrapper.get('optimizer')
    if not isinstance(optimizer, dict) or device not in _DEVICES:
        return wrapper
    kind = optimizer.get('type')
    kind = OPTIMIZERS.get(kind) if isinstance(kind, str) else kind
    if kind is None or not _offers_fused(kind, device):
        return wrapper
    if {'fused', 'foreach', 'differentiable'} & set(optimizer):
        return wrapper
    return {**wrapper, 'optimizer': {**optimizer, 'fused': True}}


def _offers_fused(kind: Any, device: str) -> bool:
    if kind.__module__.split('.')[:2] != ['torch', 'optim']:
        return False
    # Adagrad's is for the CPU only.
    if kind.__name__ == 'Adagrad' and device != 'cpu':
        return False
    return 'fused' in inspect.signature(kind.__init__).parameters
