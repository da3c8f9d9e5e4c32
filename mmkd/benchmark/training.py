"""The step of a training, as the runner makes it, for a benchmark to repeat."""

import copy
from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import nn

from mmkd.benchmark.batches import Batch
from mmkd.benchmark.rounds import Clock
from mmkd.benchmark.variants import Variant
from mmkd.engine.compilation import compile_networks
from mmkd.engine.fused_optimizer import with_fused_step
from mmkd.engine.memory_format import set_memory_format
from mmkd.models.memory import MemoryBank
from mmkd.registry import MODELS

Step = Callable[[], None]


def build_model(cfg: Config, rows: int, seed: int = 0) -> BaseModel:
    """Build the model of a config, initialised, in training mode, on the device.

    Args:
        cfg: Config.
        rows: Rows of memory banks that have no size of their own.
        seed: Of the weights. Defaults to 0.
    """
    torch.manual_seed(seed)
    with DefaultScope.overwrite_default_scope('mmaction'):
        model = MODELS.build(copy.deepcopy(cfg.model))
    model.init_weights()
    for bank in model.modules():
        if isinstance(bank, MemoryBank) and not bank.size:
            bank.resize(rows)
    model.train()
    return model.to(get_device())


def prepare(model: nn.Module, variant: Variant) -> None:
    """Bring a model into the order of memory, and compile it, as a variant asks."""
    if variant.channels_last:
        set_memory_format(model, 'channels_last_3d')
    if variant.compiled:
        compile_networks(model, True)


def training_step(
    cfg: Config, model: BaseModel, batch: Batch, variant: Variant
) -> Step:
    """Return what makes one step with the batch: forward, backward, update.

    Args:
        cfg: Config with an ``optim_wrapper``.
        model: Its model, which is changed.
        batch: Batch as the loader collates it.
        variant: How to compute.
    """
    prepare(model, variant)
    given = cfg.get('optim_wrapper') or {'optimizer': {'type': 'SGD', 'lr': 0.001}}
    wrapper_cfg = variant.wrapper(Config({'x': given}).to_dict()['x'])
    with DefaultScope.overwrite_default_scope('mmaction'):
        wrapper = build_optim_wrapper(model, with_fused_step(wrapper_cfg, get_device()))
    wrapper.initialize_count_status(model, 0, -1)

    def step() -> None:
        model.train_step(dict(batch), wrapper)

    return step


def timed(step: Step, repeats: int, clock: Clock = perf_counter) -> Clock:
    """Return what takes some steps and gives the seconds of one.

    Args:
        step: Makes one step.
        repeats: Number of steps in one measurement.
        clock: Gives seconds. Defaults to the time that passes.
    """

    def measure() -> float:
        synchronize()
        start = clock()
        for _ in range(repeats):
            step()
        synchronize()
        return (clock() - start) / repeats

    return measure


def synchronize() -> None:
    """Wait for the GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def clips_of(batch: Batch) -> int:
    """Return the number of clips in a batch, all views counted."""
    inputs: Any = batch['inputs']
    return sum(len(sample) for sample in inputs)
