"""Peak memory of a step, with its teachers and without, each in a fresh process."""

import os
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.logging import MMLogger
from torch import Tensor, nn

from mmkd.commands.benchmark.batches import Batch, first_batch
from mmkd.commands.benchmark.measurements import Measurements, Plan, Ratio
from mmkd.commands.benchmark.step import describe_work
from mmkd.commands.benchmark.teacher import teachers_of
from mmkd.commands.benchmark.training import Step, Variant, build_model, training_step
from mmkd.distill import Distiller
from mmkd.distill.teachers import MomentumTeacher, TeacherNetwork
from mmkd.errors import UserError
from mmkd.models.pretrainer import Pretrainer
from mmkd.models.teacher import Teacher
from mmkd.processes import process_context

MIB = 2**20


class Case(StrEnum):
    """What is measured."""

    WITH = 'with its teachers'
    WITHOUT = 'without them'
    ALONE = 'a forward pass of them alone'


def measure_memory(
    cfg: Config, plan: Plan, against: Config | None = None
) -> Measurements:
    """Measure the peak memory of a step, and that of another config.

    Without a teacher, its answers are constants and its weights are gone. A teacher
    should cost no more than its weights and what one forward pass needs for a moment.
    On a GPU the peak is that of PyTorch's allocator, on a CPU the largest resident set
    of the process less what it had before the model was built.

    Raises:
        UserError: If a process fails.
    """
    batch = first_batch(cfg, plan.batch_size, plan.rendered)
    work = describe_work(batch, plan)
    measured = Measurements(f'peak memory of a step of {cfg.filename}', work)
    found = {case: _in_child(cfg, batch, plan, case) for case in Case}
    peaks: dict[str, float] = {case.value: peak for case, (peak, _) in found.items()}
    weights = found[Case.WITH][1]
    if weights:
        share = (peaks[Case.WITH] - peaks[Case.WITHOUT]) / (weights + peaks[Case.ALONE])
        what = 'cost of the teachers / (their weights + one forward pass)'
        measured.ratios.append(Ratio(what, share, share, share))
    else:
        peaks = {Case.WITH.value: peaks[Case.WITH]}
    if against is not None:
        other = first_batch(against, plan.batch_size, plan.rendered)
        peak, _ = _in_child(against, other, plan, Case.WITH)
        peaks[str(against.filename)] = peak
    if weights:
        peaks['weights of the teachers'] = weights
    measured.arms = {name: {'MiB': peak / MIB} for name, peak in peaks.items()}
    return measured


def _in_child(cfg: Config, batch: Batch, plan: Plan, case: Case) -> tuple[float, float]:
    """Return peak and weights of the teachers in bytes, from a process of its own."""
    context = process_context('spawn')
    ours, remote = context.Pipe(duplex=False)
    job = (remote, cfg.to_dict(), cfg.filename, batch, plan, case)
    with _exact_heap():
        process = context.Process(target=_child, args=job)
        process.start()
    remote.close()
    try:
        return ours.recv()
    except EOFError:
        message = f'the process that measures {case.value!r} has died'
        raise UserError(message) from None
    finally:
        process.join()


@contextmanager
def _exact_heap() -> Iterator[None]:
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
    plan: Plan,
    case: Case,
) -> None:
    torch.set_num_threads(1)
    MMLogger.get_instance('benchmark', log_level='ERROR')
    empty = _resident()
    cfg = Config(content, filename=filename)
    model = build_model(cfg, plan.batch_size)
    weights = sum(_bytes(teacher) for teacher in teachers_of(model).values())
    if case == Case.WITHOUT:
        remove_teachers(model)
    variant = Variant.parse(plan.ways[0])
    step = training_step(cfg, model, batch, variant)
    if case == Case.ALONE:
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
    return float(torch.cuda.memory_allocated()) if case == Case.ALONE else 0.0


def _bytes(module: nn.Module) -> int:
    tensors = [*module.parameters(), *module.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def remove_teachers(model: nn.Module) -> None:
    """Take momentum and frozen teachers out of a model; constants answer."""
    if isinstance(model, Distiller):
        model.distillation = None  # it is its student then
    pretrainers = [m for m in model.modules() if isinstance(m, Pretrainer)]
    for teachers in (pretrainer.teachers for pretrainer in pretrainers):
        for name, teacher in teachers.items():
            if isinstance(teacher, MomentumTeacher):
                teachers[name] = ConstantTeacher(teacher)


class ConstantTeacher(Teacher):
    """Answer ones of the widths of a teacher's heads; it has no weights.

    Args:
        teacher: The teacher that it replaces.
    """

    def __init__(self, teacher: MomentumTeacher) -> None:
        super().__init__()
        self._widths = {
            name: [m.out_features for m in head.modules() if isinstance(m, nn.Linear)]
            for name, head in teacher.heads.items()
        }

    def build(self, student: nn.Module) -> None:
        """Fit any student."""

    def forward(
        self,
        inputs: Tensor,
        paths: Sequence[str],
        data_samples: list[ActionDataSample] | None = None,
    ) -> dict[str, Tensor]:
        """Return ones ``(N, D)`` for each head of clips ``(N, 3, T, H, W)``."""
        return {n: inputs.new_ones(len(inputs), self._widths[n][-1]) for n in paths}


def _forward_of_teachers(model: Any, batch: Batch, variant: Variant) -> Step:
    """Return what runs the teachers on the batch as a step does, and nothing else."""

    def run() -> None:
        with variant.autocast(next(model.parameters()).device.type):
            data = model.data_preprocessor(dict(batch), True)
            for teacher in teachers_of(model).values():
                if isinstance(teacher, MomentumTeacher):
                    clips = data['inputs'][:, -1].contiguous()
                    teacher(clips, list(teacher.heads))
                elif isinstance(teacher, TeacherNetwork):
                    paths = model.distillation.paths
                    teacher(data['inputs'], paths, data['data_samples'])

    return run


def peak_bytes(work: Step) -> float:
    """Return the most memory that is in use while something runs."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        work()
        return float(torch.cuda.max_memory_allocated())
    # Lets the largest resident set start again, where the system lets us.
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
