"""Peak memory of a step, with its teachers and without, each in a fresh process."""

import multiprocessing
import os
import resource
from collections.abc import Callable
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from torch import Tensor, nn

from mmkd.benchmark.batches import Batch, first_batch
from mmkd.benchmark.figures import Figures, Ratio
from mmkd.benchmark.step import StepPlan, describe_work
from mmkd.benchmark.teacher import teachers_of
from mmkd.benchmark.training import build_model, training_step
from mmkd.benchmark.variants import Variant
from mmkd.errors import UserError
from mmkd.models.teachers import MomentumTeacher

Case = Literal['with its teachers', 'without them', 'a forward pass of them alone']
CASES: tuple[Case, ...] = (
    'with its teachers',
    'without them',
    'a forward pass of them alone',
)
MIB = 2**20


def measure_memory(
    cfg: Config, plan: StepPlan, against: Config | None = None
) -> Figures:
    """Measure the peak memory of a step.

    Without a teacher, its answers are constants and its weights are gone. A teacher
    should cost no more than its weights and what one forward pass needs for a moment.
    On a GPU the peak is that of PyTorch's allocator, on a CPU the largest resident set
    of the process less what it had before the model was built.

    Args:
        cfg: Config of a method.
        plan: How; the first variant is used.
        against: Another config to measure as well. Defaults to None.

    Raises:
        UserError: If a process fails.
    """
    batch = first_batch(cfg, plan.batch_size, plan.rendered)
    figures = Figures(
        f'peak memory of a step of {cfg.filename}', describe_work(batch, plan)
    )
    peaks: dict[str, float] = {}
    found = {case: _in_child(cfg, batch, plan, case) for case in CASES}
    weights = found[CASES[0]][1]
    for case, (peak, _) in found.items():
        peaks[case] = peak
    if not weights:
        del peaks[CASES[1]], peaks[CASES[2]]
    if against is not None:
        other = first_batch(against, plan.batch_size, plan.rendered)
        peaks[str(against.filename)] = _in_child(against, other, plan, CASES[0])[0]
    figures.arms = {name: {'MiB': peak / MIB} for name, peak in peaks.items()}
    if weights:
        figures.arms['weights of the teachers'] = {'MiB': weights / MIB}
        with_them, without, alone = (peaks[case] for case in CASES)
        share = (with_them - without) / (weights + alone)
        what = 'cost of the teachers / (their weights + one forward pass)'
        figures.ratios.append(Ratio(what, share, share, share))
    return figures


def _in_child(
    cfg: Config, batch: Batch, plan: StepPlan, case: Case
) -> tuple[float, float]:
    """Return peak and weights of the teachers in bytes, from a process of its own."""
    context = multiprocessing.get_context('spawn')
    ours, theirs = context.Pipe(duplex=False)
    job = (theirs, cfg.to_dict(), cfg.filename, batch, plan, case)
    with _exact_heap():
        process = context.Process(target=_child, args=job)
        process.start()
    theirs.close()
    try:
        result = ours.recv()
    except EOFError:
        process.join()
        raise UserError(f'the process that measures {case!r} has died') from None
    process.join()
    return result


@contextmanager
def _exact_heap() -> Any:
    """Have glibc give freed tensors back to the system at once, in a child."""
    options = {'MALLOC_MMAP_THRESHOLD_': '65536', 'MALLOC_ARENA_MAX': '1'}
    before = {name: os.environ.get(name) for name in options}
    os.environ.update(options)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _child(
    answer: Connection,
    content: dict[str, Any],
    filename: str,
    batch: Batch,
    plan: StepPlan,
    case: Case,
) -> None:
    torch.set_num_threads(1)
    MMLogger.get_instance('benchmark', log_level='ERROR')
    empty = _resident()
    cfg = Config(content, filename=filename)
    model = build_model(cfg, plan.batch_size)
    weights = sum(_bytes(teacher) for teacher in teachers_of(model).values())
    if case == CASES[1]:
        remove_teachers(model, plan.batch_size)
    variant = Variant.parse(plan.variants[0])
    step = training_step(cfg, model, batch, variant)
    if case == CASES[2]:
        step, empty = _forward_of_teachers(model, batch, variant), _resident()
    # The optimiser's state comes with the first step and belongs to the peak.
    peak = peak_bytes(lambda: (step(), step()))
    answer.send((peak - _occupied(empty, case), weights))


def _occupied(resident: float, case: Case) -> float:
    """Return what was in use before and does not count.

    That is the bare process, and for a forward pass alone all weights as well.
    """
    if not torch.cuda.is_available():
        return resident
    return float(torch.cuda.memory_allocated()) if case == CASES[2] else 0.0


def _bytes(module: nn.Module) -> int:
    tensors = [*module.parameters(), *module.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def remove_teachers(model: nn.Module, samples: int) -> None:
    """Take the networks of momentum and frozen teachers out; constants answer.

    Args:
        model: Model, which is changed.
        samples: Largest number of samples that is asked for.
    """
    if isinstance(model.__dict__.get('teacher'), nn.Module):
        # A distiller without terms is its student.
        model.__dict__.update(teacher=None, _terms=[])
    for teacher in teachers_of(model).values():
        if isinstance(teacher, MomentumTeacher):
            _silence(teacher, samples)


def _silence(teacher: MomentumTeacher, samples: int) -> None:
    widths = {
        name: [m for m in head.modules() if isinstance(m, nn.Linear)][-1].out_features
        for name, head in teacher.heads.items()
    }

    def encode(clips: Tensor, tasks: Any) -> dict[str, Tensor]:
        return {name: clips.new_ones(len(clips), widths[name]) for name in tasks}

    teacher.backbone, teacher.heads = nn.Identity(), nn.ModuleDict()
    object.__setattr__(teacher, 'encode', encode)
    object.__setattr__(teacher, 'follow', lambda *_: None)


def _forward_of_teachers(
    model: Any, batch: Batch, variant: Variant
) -> Callable[[], None]:
    """Return what runs the teachers on the batch as a step does, and nothing else."""

    def run() -> None:
        device = next(model.parameters()).device.type
        dtype = getattr(torch, variant.dtype or 'bfloat16')
        with torch.autocast(device, dtype=dtype, enabled=variant.dtype is not None):
            data = model.data_preprocessor(dict(batch), True)
            for teacher in teachers_of(model).values():
                if isinstance(teacher, MomentumTeacher):
                    clips = data['inputs'][:, -1].contiguous()
                    teacher.encode(clips, list(teacher.heads))
                elif hasattr(teacher, 'record'):
                    teacher(data['inputs'], data['data_samples'])

    return run


def peak_bytes(work: Callable[[], Any]) -> float:
    """Return the most memory that is in use while something runs.

    Args:
        work: What to run.
    """
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        work()
        return float(torch.cuda.max_memory_allocated())
    # Makes the largest resident set start anew, where the system lets us.
    with suppress(OSError):
        Path('/proc/self/clear_refs').write_text('5', encoding='ascii')
    work()
    return _largest_resident()


def _resident() -> float:
    try:
        pages = Path('/proc/self/statm').read_text(encoding='ascii').split()[1]
    except OSError:
        return _largest_resident()
    return float(int(pages) * os.sysconf('SC_PAGE_SIZE'))


def _largest_resident() -> float:
    with suppress(OSError, StopIteration):
        lines = Path('/proc/self/status').read_text(encoding='ascii').splitlines()
        line = next(line for line in lines if line.startswith('VmHWM'))
        return float(line.split()[1]) * 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * 1024
