"""Build training steps as the runner does, in several precisions and formats."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import nn

from mmkd.commands.benchmark.batches import Batch
from mmkd.commands.benchmark.measurements import CLOCKS, Clock, Plan
from mmkd.engine.speed import compile_networks, set_memory_format, with_fused_step
from mmkd.errors import UserError
from mmkd.models.input_adoption import settle_input
from mmkd.models.memory import MemoryBank
from mmkd.registry import MODELS

Step = Callable[[], Any]
_PRECISIONS = {'fp32': None, 'bf16': 'bfloat16', 'fp16': 'float16'}


class Variant(NamedTuple):
    """One way to compute."""

    name: str  # e.g. 'bf16+cl'
    dtype: str | None  # precision of autocast; None computes in float32
    channels_last: bool  # whether kernels lie in channels_last_3d
    compiled: bool  # whether the networks pass torch.compile

    @classmethod
    def parse(cls, name: str) -> 'Variant':
        """Read a precision and extras joined by ``+``.

        Raises:
            UserError: If a part is not known.
        """
        precision, *extras = name.split('+')
        if precision not in _PRECISIONS or not set(extras) <= {'cl', 'compile'}:
            raise UserError(
                f'{name!r} is no way to compute a step',
                f'Give one of {", ".join(_PRECISIONS)}, with +cl (channels_last_3d) '
                'or +compile behind it.',
            )
        dtype = _PRECISIONS[precision]
        return cls(name, dtype, 'cl' in extras, 'compile' in extras)

    def wrapper(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return an optimiser wrapper like the given one that computes so."""
        dropped = ('type', 'dtype', 'loss_scale')
        kept = {k: v for k, v in given.items() if k not in dropped}
        if self.dtype is None:
            return {'type': 'OptimWrapper', **kept}
        return {'type': 'mmkd.AmpOptimWrapper', 'dtype': self.dtype, **kept}

    def autocast(self, device: str) -> torch.autocast:
        """Return the context in which a step computes by hand."""
        dtype = getattr(torch, self.dtype or 'bfloat16')
        return torch.autocast(device, dtype=dtype, enabled=self.dtype is not None)

    def prepare(self, model: nn.Module) -> None:
        """Bring a model into the order of memory, and compile it, as is asked."""
        if self.channels_last:
            set_memory_format(model, 'channels_last_3d')
        if self.compiled:
            compile_networks(model, True)


def build_model(cfg: Config, rows: int) -> BaseModel:
    """Build the model of a config, initialised, in training mode, on the device.

    Memory banks that have no size of their own get so many rows.
    """
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmaction'):
        model = MODELS.build(copy.deepcopy(cfg.model))
    model.init_weights()
    settle_input(model)
    for bank in model.modules():
        if isinstance(bank, MemoryBank) and not bank.size:
            bank.resize(rows)
    model.train()
    return model.to(get_device())


def training_step(
    cfg: Config, model: BaseModel, batch: Batch, variant: Variant
) -> Step:
    """Return what makes one step with the batch: forward, backward, update.

    The model of the config is changed.
    """
    variant.prepare(model)
    given = cfg.get('optim_wrapper') or {'optimizer': {'type': 'SGD', 'lr': 0.001}}
    wrapper_cfg = variant.wrapper(Config({'x': given}).to_dict()['x'])
    with DefaultScope.overwrite_default_scope('mmaction'):
        wrapper = build_optim_wrapper(model, with_fused_step(wrapper_cfg, get_device()))
    wrapper.initialize_count_status(model, 0, -1)
    return lambda: model.train_step(dict(batch), wrapper)


def timed(step: Step, plan: Plan, repeats: int | None = None) -> Clock:
    """Return what takes some steps, those of the plan by default.

    It gives the seconds of one.
    """
    count, clock = repeats or plan.steps, CLOCKS[plan.clock]

    def measure() -> float:
        synchronize()
        start = clock()
        for _ in range(count):
            step()
        synchronize()
        return (clock() - start) / count

    return measure


def synchronize() -> None:
    """Wait for the GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def clips_of(batch: Batch) -> int:
    """Return the number of clips in a batch, all views counted."""
    return sum(len(sample) for sample in batch['inputs'])
