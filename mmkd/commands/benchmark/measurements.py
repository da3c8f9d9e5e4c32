"""Measure several ways of doing a piece of work in turns, and say what came out."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from statistics import median
from time import monotonic, perf_counter, process_time
from typing import Any, NamedTuple

import torch

Seconds = list[float]
Clock = Callable[[], float]

#: What is measured: the time that passes, or that for which this process computes,
#: which means something on a machine that does other work as well.
CLOCKS: dict[str, Clock] = {'wall': perf_counter, 'cpu': process_time}


@dataclass(frozen=True)
class Plan:
    """How something is measured; each benchmark reads what concerns it."""

    batch_size: int = 8  # samples N
    rounds: int = 5  # that count
    time_limit: float = 600.0  # seconds after which no further round begins
    rendered: bool = False  # clips are rendered, not the config's own read
    clock: str = 'wall'  # in CLOCKS; that of this process, 'cpu', goes with 0 workers
    ways: Sequence[str] = ('fp32',)  # to compute a step; where one is asked, the first
    steps: int = 2  # of one measurement
    hand: bool = True  # whether to measure the hand-written loop as well
    peak: float | None = None  # of the device in TFLOP/s; None for that of a known GPU
    workers: int = 2  # processes of a loader; 0 loads in this one
    samples: int = 32  # of one measurement of a loader
    # List and folder of the videos that those of the config were made from, in the same
    # order: MMAction2 reads them. None: the config's own.
    originals: Sequence[str] | None = None

    @classmethod
    def of(cls, args: Any) -> 'Plan':
        """Return the plan of a command line, whose options bear the same names."""
        names = [field.name for field in fields(cls) if hasattr(args, field.name)]
        return cls(**{name: getattr(args, name) for name in names})

    def interleave(self, arms: Mapping[str, Clock]) -> dict[str, Seconds]:
        """Measure arms as planned; see :func:`interleave`."""
        return interleave(arms, self.rounds, self.time_limit)


def interleave(
    arms: Mapping[str, Clock],
    rounds: int,
    limit: float = float('inf'),
    warm_up: int = 1,
) -> dict[str, Seconds]:
    """Call the arms in turns, A B C A B C, and return by name what each call gave.

    A machine becomes slower and faster while one measures; neighbours in time share
    that, so their ratio is worth more than either number.

    Args:
        arms: By name, what does a fixed piece of work and returns its seconds.
        rounds: Number of counted rounds.
        limit: Seconds after which no further round is begun; at least one is made.
            Defaults to no limit.
        warm_up: Rounds before them that are not counted. Defaults to 1.
    """
    start = monotonic()
    result: dict[str, Seconds] = {name: [] for name in arms}
    for turn in range(-warm_up, rounds):
        if turn > 0 and monotonic() - start > limit:
            break
        for name, arm in arms.items():
            if sys.stderr.isatty():
                print(f'\r\x1b[Kround {turn + 1}: {name}', end='', file=sys.stderr)
            seconds = arm()
            if turn >= 0:
                result[name].append(seconds)
    if sys.stderr.isatty():
        print('\r\x1b[K', end='', file=sys.stderr)
    return result


def describe_machine() -> dict[str, Any]:
    """Return cores, threads, GPU, torch, and how busy the machine was before.

    ``load before`` is the mean number of processes that wanted to run in the last
    minute; where it is not near 0, the results are worth little.
    """
    affinity = getattr(os, 'sched_getaffinity', None)
    has_gpu = torch.cuda.is_available()
    return {
        'CPU cores': len(affinity(0)) if affinity else os.cpu_count() or 1,
        'threads': torch.get_num_threads(),
        'CPU': torch.backends.cpu.get_cpu_capability(),
        'GPU': torch.cuda.get_device_name(0) if has_gpu else 'none',
        'torch': torch.__version__,
        'load before': round(os.getloadavg()[0], 1),
    }


# Dense peaks of the vendor's data sheets, in TFLOP/s: (half precision, TF32 or fp32).
_PEAKS = {
    'H200': (989.0, 495.0),
    'H100': (989.0, 495.0),
    'A100': (312.0, 156.0),
    'V100': (125.0, 15.7),
    'L40': (181.0, 90.5),
    'T4': (65.0, 8.1),
}


def peak_tflops(half: bool) -> float | None:
    """Return the peak of the GPU in TFLOP/s, of bf16 and fp16 or of the full precision.

    None without a GPU or if not known.
    """
    if not torch.cuda.is_available():
        return None
    name = torch.cuda.get_device_name(0)
    for known, (low, full) in _PEAKS.items():
        if known in name:
            tf32 = torch.backends.cudnn.allow_tf32
            return low if half else full if tf32 else None
    return None


class Ratio(NamedTuple):
    """How two arms compare, in words: median, smallest, largest over the rounds."""

    what: str
    value: float
    low: float
    high: float


@dataclass
class Measurements:
    """The result of one benchmark."""

    title: str  # what was measured
    work: Mapping[str, Any]  # one piece of it, as plain values: batch, clip size
    arms: dict[str, dict[str, float]] = field(default_factory=dict)  # by name
    ratios: list[Ratio] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # one sentence each
    machine: Mapping[str, Any] = field(default_factory=describe_machine)

    def add_times(self, name: str, seconds: Seconds, clips: int) -> None:
        """Add an arm that was timed: seconds for a piece of ``clips``, by round."""
        middle = median(seconds)
        self.arms[name] = {
            'clips/s': clips / middle,
            'seconds': middle,
            'fastest': min(seconds),
            'slowest': max(seconds),
        }

    def add_ratio(self, what: str, first: Seconds, second: Seconds) -> None:
        """Add ``first / second``, taken within each round."""
        values = [a / b for a, b in zip(first, second, strict=True)]
        self.ratios.append(Ratio(what, median(values), min(values), max(values)))

    def as_dict(self) -> dict[str, Any]:
        """Return everything in plain values, for a JSON file."""
        return {
            'title': self.title,
            'machine': dict(self.machine),
            'work': dict(self.work),
            'arms': self.arms,
            'ratios': [ratio._asdict() for ratio in self.ratios],
            'notes': self.notes,
        }

    def as_markdown(self) -> str:
        """Return tables, ready for ``docs/performance.md``."""
        lines = [f'**{self.title}**', '', _listed(self.work), '']
        lines += [_listed(self.machine), '', *_table(self.arms), '']
        if self.ratios:
            lines += ['| ratio | median | range |', '|---|---:|---:|']
            lines += [
                f'| {r.what} | {r.value:.3g} | {r.low:.3g} to {r.high:.3g} |'
                for r in self.ratios
            ]
        return '\n'.join([*lines, *(f'\n{note}' for note in self.notes)])


def _listed(values: Mapping[str, Any]) -> str:
    return '; '.join(f'{name} {value}' for name, value in values.items())


def _table(arms: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    columns = list(dict.fromkeys(name for row in arms.values() for name in row))
    yield f'| | {" | ".join(columns)} |'
    yield '|---|' + '---:|' * len(columns)
    for name, row in arms.items():
        cells = [f'{row[c]:.3g}' if c in row else '' for c in columns]
        yield f'| {name} | {" | ".join(cells)} |'
