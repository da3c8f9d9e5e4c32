"""What the teachers of a method cost, and how often each network runs in a step."""

from collections import Counter
from collections.abc import Callable
from time import perf_counter
from typing import Any

from mmengine.config import Config
from torch import nn

from mmkd.benchmark.batches import first_batch
from mmkd.benchmark.figures import Figures, Ratio
from mmkd.benchmark.rounds import CLOCKS, Clock, interleave
from mmkd.benchmark.step import StepPlan, measure_step
from mmkd.benchmark.training import (
    build_model,
    clips_of,
    synchronize,
    timed,
    training_step,
)
from mmkd.benchmark.variants import Variant
from mmkd.models.human_parsers import HumanParser
from mmkd.models.teachers import FrozenTeacher, MomentumTeacher


class Stopwatch:
    """Adds up the time spent in some methods.

    Args:
        clock: Gives seconds. Defaults to the time that passes.

    Attributes:
        seconds: So far.
    """

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
    beside = model.__dict__.get('teacher')
    if isinstance(beside, nn.Module):
        found['teacher'] = beside
    return found


def count_calls(model: nn.Module) -> Counter[str]:
    """Return a counter of forward passes by network, which counts from now on.

    Args:
        model: Its backbones are counted, and those of its teachers.
    """
    calls: Counter[str] = Counter()
    roots = {'': model, **{f'{n}.': m for n, m in teachers_of(model).items()}}
    seen: set[int] = set()
    for prefix, root in roots.items():
        for name, module in root.named_modules():
            if name.split('.')[-1] != 'backbone' or id(module) in seen:
                continue
            seen.add(id(module))
            module.register_forward_hook(_count(calls, f'{prefix}{name}'))
    return calls


def _count(calls: Counter[str], name: str) -> Callable[..., None]:
    def hook(*_: Any) -> None:
        calls[name] += 1

    return hook


def measure_teacher(
    cfg: Config, plan: StepPlan, against: Config | None = None
) -> Figures:
    """Measure the share of a step that its teachers take, and the step of another.

    Args:
        cfg: Config of a method with a teacher.
        plan: How; the first variant is used.
        against: E.g. the same method without a teacher, or with cached maps. Its step
            is measured in the same rounds. Defaults to None.
    """
    figures = measure_step(cfg, plan, against)
    batch = first_batch(cfg, plan.batch_size, plan.rendered)
    model = build_model(cfg, plan.batch_size)
    variant = Variant.parse(plan.variants[0])
    step = training_step(cfg, model, batch, variant)
    calls, watch = count_calls(model), Stopwatch(CLOCKS[plan.clock])
    step()
    for name, number in calls.items():
        figures.notes.append(f'forward passes of {name} in one step: {number}.')
    teachers = teachers_of(model)
    if not teachers:
        figures.notes.append('The method has no teacher.')
        return figures
    for teacher in teachers.values():
        for method in ('encode', 'follow', 'forward', 'parse'):
            if hasattr(teacher, method):
                watch.watch(teacher, method)
    inside: list[float] = []
    measure = timed(step, plan.steps, CLOCKS[plan.clock])

    def whole() -> float:
        watch.seconds = 0.0
        total = measure()
        inside.append(watch.seconds / plan.steps)
        return total

    seconds = interleave({'whole': whole}, plan.rounds, plan.limit)['whole']
    within = inside[-len(seconds) :]
    name = f'{variant.name}, its teachers'
    figures.add_times(name, within, clips_of(batch))
    what = f'{variant.name}: share of the teachers in the step'
    figures.ratios.append(Ratio.between(what, within, seconds))
    return figures
