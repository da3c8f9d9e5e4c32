"""Synchronise the processes of a run: initial weights, decisions, number of batches."""

from collections.abc import Iterator
from typing import Any

import torch
from mmengine import dist
from torch import Tensor, distributed, nn

from mmkd.errors import UserError


class Agreement:
    """All-reduce the maximum of a number over processes, without a device sync.

    On a GPU the number goes by a group of its own over the network of the hosts: one
    that went by the device would make the host wait for all that it has asked of it.
    To be made on all processes at once.
    """

    def __init__(self) -> None:
        self._alone = dist.get_world_size() == 1
        self._group = None
        if not self._alone and distributed.get_backend() != 'gloo':
            self._group = distributed.new_group(backend='gloo')

    def largest(self, number: int) -> int:
        """Return the largest number of all processes; each of them has to ask."""
        if self._alone:
            return number
        shared = torch.tensor(number)
        distributed.all_reduce(shared, distributed.ReduceOp.MAX, group=self._group)
        return int(shared)


def synchronise(model: nn.Module) -> None:
    """Broadcast the weights and buffers of the first process to all others.

    DistributedDataParallel does this when it wraps the model, MMEngine again after
    ``init_weights``. What hooks make later (the features of memory banks), and networks
    that are held beside the model and not in it (frozen teachers, parsers), would
    differ where processes have seeds of their own.
    """
    if dist.get_world_size() == 1:
        return
    for tensor in tensors_of(model):
        value = tensor.detach()
        if value.is_meta or not value.numel():
            continue
        # A copy in plain order: collectives refuse others, e.g. channels_last_3d.
        sent = value.contiguous()
        dist.broadcast(sent)
        if sent is not value:
            value.copy_(sent)


def tensors_of(model: nn.Module) -> Iterator[Tensor]:
    """Yield each weight and buffer once, also of networks held beside the model."""
    seen: set[int] = set()
    for module in _modules(model, set()):
        for tensor in (*module.parameters(False), *module.buffers(False)):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                yield tensor


def _modules(module: nn.Module, seen: set[int]) -> Iterator[nn.Module]:
    if id(module) in seen:
        return
    seen.add(id(module))
    yield module
    beside = [*vars(module).values(), getattr(module, 'teacher', None)]
    for one in (*module.children(), *beside):
        if isinstance(one, nn.Module):
            yield from _modules(one, seen)


def check_length(loader: Any, name: str, every_process: bool) -> None:
    """Check that a loader gives batches; to be called on all processes.

    Args:
        loader: A built data loader.
        name: Its key in the config, e.g. ``train_dataloader``.
        every_process: Whether each process needs as many batches as the others, as in
            training; else one with a batch is enough.

    Raises:
        UserError: If there is no batch, or processes have different numbers of them.
    """
    try:
        own = len(loader)
    except TypeError:  # an iterable data set, which knows no length
        own = None
    lengths = dist.all_gather_object(own)
    if None in lengths:
        return
    shortest, longest = min(lengths), max(lengths)
    if not (shortest if every_process else longest):
        raise UserError(
            f'{name} gives no batch: {_reason(loader, len(lengths))}',
            'Use a longer list, a smaller batch_size or fewer processes, or set '
            'drop_last=False.',
        )
    if every_process and shortest != longest:
        raise UserError(
            f'{name} gives {shortest} batches to one process and {longest} to another, '
            'which would wait for ever',
            'Leave round_up of its sampler at True, or set drop_last=True.',
        )


def _reason(loader: Any, processes: int) -> str:
    samples = len(loader.dataset)
    size = getattr(loader, 'batch_size', None)
    drops = getattr(loader.batch_sampler, 'drop_last', False)
    text = f'{samples} sample{"" if samples == 1 else "s"}'
    if size and samples:
        text += f' for {processes} x {size}' if processes > 1 else f' for {size}'
        text += ' a batch'
    return f'{text}, and drop_last' if drops and samples else text
