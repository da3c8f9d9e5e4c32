"""Measure the cost of teachers, and of a parser that runs in every step."""

from collections import Counter
from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from torch import nn

from mmkd.commands.benchmark.batches import first_batch
from mmkd.commands.benchmark.measurements import CLOCKS, Clock, Measurements, Plan
from mmkd.commands.benchmark.step import measure_step
from mmkd.commands.benchmark.training import (
    Variant,
    build_model,
    clips_of,
    synchronize,
    timed,
    training_step,
)
from mmkd.distill.teachers import FrozenTeacher, MomentumTeacher
from mmkd.models.human_parsers import HumanParser


class Stopwatch:
    """Adds up the ``seconds`` spent in some methods."""

    def __init__(self, clock: Clock = perf_counter) -> None:
        self.seconds, self.clock = 0.0, clock

    def watch(self, owner: Any, name: str) -> None:
        """Time each call of a method from now on."""
        method: Callable[..., Any] = getattr(owner, name)

        def timed_method(*args: Any, **kwargs: Any) -> Any:
            synchronize()
            start = self.clock()
            result = method(*args, **kwargs)
            synchronize()
            self.seconds += self.clock() - start
            return result

        object.__setattr__(owner, name, timed_method)


def teachers_of(model: nn.Module) -> dict[str, nn.Module]:
    """Return all teachers of a model by name: in it, beside it, or in its input."""
    found: dict[str, nn.Module] = {}
    for name, module in model.named_modules():
        if isinstance(module, MomentumTeacher | FrozenTeacher | HumanParser):
            found[name] = module
    beside = getattr(model, 'teacher', None)
    if isinstance(beside, nn.Module):
        found['teacher'] = beside
    return found


def count_calls(model: nn.Module) -> Counter[str]:
    """Return a counter of forward passes by network, which counts from now on.

    Counted are the backbones of a model and of its teachers.
    """
    calls: Counter[str] = Counter()
    roots = {'': model, **{f'{n}.': m for n, m in teachers_of(model).items()}}
    seen: set[int] = set()
    for prefix, root in roots.items():
        for name, module in root.named_modules():
            if name.split('.')[-1] != 'backbone' or id(module) in seen:
                continue
            seen.add(id(module))
            full = f'{prefix}{name}'
            module.register_forward_hook(lambda *_, full=full: calls.update([full]))
    return calls


def measure_teacher(
    cfg: Config, plan: Plan, against: Config | None = None
) -> Measurements:
    """Measure the share of a step that its teachers take.

    The step of another config, e.g. the same method without a teacher or with cached
    maps, is measured in the same rounds.
    """
    measured = measure_step(cfg, plan, against)
    batch = first_batch(cfg, plan.batch_size, plan.rendered)
    model = build_model(cfg, plan.batch_size)
    variant = Variant.parse(plan.ways[0])
    step = training_step(cfg, model, batch, variant)
    calls, watch = count_calls(model), Stopwatch(CLOCKS[plan.clock])
    step()
    for name, number in calls.items():
        measured.notes.append(f'forward passes of {name} in one step: {number}.')
    teachers = teachers_of(model)
    if not teachers:
        measured.notes.append('The method has no teacher.')
        return measured
    for teacher in teachers.values():
        for method in ('update', 'forward', 'parse'):
            if hasattr(teacher, method):
                watch.watch(teacher, method)
    inside: list[float] = []
    measure = timed(step, plan)

    def whole() -> float:
        watch.seconds = 0.0
        total = measure()
        inside.append(watch.seconds / plan.steps)
        return total

    seconds = plan.interleave({'whole': whole})['whole']
    within = inside[-len(seconds) :]
    measured.add_times(f'{variant.name}, its teachers', within, clips_of(batch))
    what = f'{variant.name}: share of the teachers in the step'
    measured.add_ratio(what, within, seconds)
    return measured


ONLINE = 'the parser, online'


def add_online_parser(
    measured: Measurements, cfg: Config, plan: Plan, parser: HumanParser
) -> None:
    """Time a parser on the first view of a batch, in turns with a step of a config.

    The parser keeps its precision.

    Raises:
        UserError: If the parser goes by the name of the video, not by its frames.
    """
    batch = first_batch(cfg, plan.batch_size, plan.rendered)
    variant = Variant.parse(plan.ways[0])
    step = training_step(cfg, build_model(cfg, plan.batch_size), batch, variant)
    frames = torch.cat([sample[0].transpose(0, 1) for sample in batch['inputs']])
    frames = frames.to(get_device())
    online = timed(lambda: parser(frames), plan, repeats=1)
    seconds = plan.interleave({'step': timed(step, plan), ONLINE: online})
    measured.add_times(ONLINE, seconds[ONLINE], len(batch['inputs']))
    what = f'{variant.name}: time of {ONLINE} / of the step without it'
    measured.add_ratio(what, seconds[ONLINE], seconds['step'])
