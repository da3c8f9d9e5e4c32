"""The command line of ``tools/gates.py``: gates of runs, read again from their logs."""

import argparse
import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mmkd.engine.gates import Gate, gated_metrics
from mmkd.error_lines import one_line_errors
from mmkd.errors import UserError, printable
from mmkd.files import read_small_text, write_table

_DESCRIPTION = """Print how the gates of pre-trainings stand, as a Markdown table.

A gate says whether a task learned more than a network that ignores the clip; see
docs/gates.md, whose table is made so:

    python tools/pipeline.py configs/pipelines/gates.py
    python tools/gates.py work_dirs/pipelines/gates/* --page docs/gates.md

It is read from the logs, which should hold every step: train with --cfg-options
default_hooks.logger.interval=1.
"""
HEAD = (
    '| config | gate | steps | value | without the clip | verdict | seed | date '
    '| commit |\n|---|---|---|---|---|---|---|---|---|'
)
_LARGEST_LOG = 1 << 30  # bytes

# What mmkd.GateHook and MMEngine write into the log.
_PLANNED = re.compile(r' - to train: ([\d,]+) steps')
_CHANGE = re.compile(r' - gate (open|closed again) at step ([\d,]+): (\S+) ')
_SEED = re.compile(r'^\s+seed: (\d+)', re.MULTILINE)


def main(argv: list[str] | None = None) -> None:
    """Print the table, and put it into a page where asked."""
    parser = argparse.ArgumentParser(
        description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('runs', type=Path, nargs='+', help='work folders')
    add('--smooth', type=int, default=100, help='logged steps of a mean, default 100')
    page = 'a page to put the table into, instead of its own'
    add('--page', type=Path, help=page)
    args = parser.parse_args(argv)
    with one_line_errors():
        text = table([read_run(folder, args.smooth) for folder in args.runs])
        print(text)
        if args.page:
            write_table(args.page, text)


@dataclass(frozen=True)
class LoggedRun:
    """What the log of one training says of its gates."""

    name: str  # of its config
    seed: str  # of the training; '' where the log has none
    date: str  # YYYY-MM-DD of the last start
    commit: str  # newest commit of the branch at the first start; '' outside of git
    steps: int  # steps that were logged
    planned: int  # steps that the run was to make
    gates: Sequence[Gate]  # gates as they stood at the last logged step

    def rows(self) -> Iterator[str]:
        """Yield a line of the table for each gate."""
        steps = f'{self.steps:,}'
        if self.steps < self.planned:
            steps += f' of {self.planned:,}'
        for gate in self.gates:
            cells = [f'`{self.name}`', gate.name, steps, f'{gate.value:.3f}']
            cells += [f'{gate.level:.3f}', self._verdict(gate)]
            cells += [self.seed, self.date, self.commit]
            yield f'| {" | ".join(cells)} |'

    def _verdict(self, gate: Gate) -> str:
        if gate.is_open:
            return f'open since {gate.opened_at:,}'
        if self.steps < self.planned:
            return 'not finished'
        return '**not trained**' if gate.is_full else 'too few steps to tell'


def read_run(folder: Path, smooth: int = 100) -> LoggedRun:
    """Read how the gates of a run stand: by the lines of ``mmkd.GateHook``.

    The values are means over the last ``smooth`` logged steps, so the log should hold
    every step (``default_hooks.logger.interval=1``).

    Raises:
        UserError: If there is no log of a training, or none with a gate.
    """
    logs = sorted(folder.glob('????????_??????/vis_data/scalars.json'))
    if not logs:
        raise UserError(
            f'{folder} has no */vis_data/scalars.json', 'Name a work folder.'
        )
    gates: dict[str, Gate] = {}
    last = 0
    for row in _steps(logs):
        last = int(row['step'])
        for name, level in gated_metrics(row).items():
            gate = gates.setdefault(name, Gate(name, smooth))
            gate.add(row[name], row[level] if level else 0.0)
    starts = [path.parent.parent for path in logs]
    text = ''.join(
        _text(path) for start in starts for path in sorted(start.glob('*.log'))
    )
    planned = _PLANNED.findall(text)
    if not gates or not planned:
        raise UserError(
            f'{folder} logged no gate of mmkd.GateHook', 'Name a run of a pre-training.'
        )
    for change, step, name in _CHANGE.findall(text):
        if name in gates:
            gates[name].is_open = change == 'open'
            gates[name].opened_at = _number(step)
    seed = _SEED.search(text)
    configs = sorted(folder.glob('*.py'))
    return LoggedRun(
        name=configs[0].stem if configs else folder.name,
        seed=seed[1] if seed else '',
        date=_started(starts[-1]).strftime('%Y-%m-%d'),
        commit=commit_at(_started(starts[0])),
        steps=last,
        planned=_number(planned[-1]),
        gates=tuple(gates.values()),
    )


def commit_at(time: datetime) -> str:
    """Return the newest commit of the branch at a local time; '' without git."""
    command = ['git', 'log', '-1', '--format=%h', '--first-parent']
    command.append(f'--before={time.isoformat()}')
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ''
    return found.stdout.strip() if found.returncode == 0 else ''


def table(runs: Sequence[LoggedRun]) -> str:
    """Return a Markdown table of the gates of runs."""
    return '\n'.join([HEAD, *(row for run in runs for row in run.rows())])


def _steps(logs: Sequence[Path]) -> Iterator[dict[str, float]]:
    """Yield the scalars of the training's steps, a resumed part after the first."""
    for path in logs:
        for line in _text(path).splitlines():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UserError(f'{path} is no log of scalars: {error}') from None
            if isinstance(row, dict) and type(row.get('step')) is int and 'loss' in row:
                yield {  # text where numbers belong is none of ours
                    name: value
                    for name, value in row.items()
                    if isinstance(value, int | float)
                }


def _text(path: Path) -> str:
    """Return the text of a regular file; a pipe would be waited for without end.

    Raises:
        UserError: If it cannot be read.
    """
    try:
        return read_small_text(path, _LARGEST_LOG)
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise UserError(f'{printable(path)} cannot be read: {reason}') from None


def _started(folder: Path) -> datetime:
    """Return when a start was made, by the name that MMEngine gives its folder."""
    try:
        return datetime.strptime(folder.name, '%Y%m%d_%H%M%S')
    except ValueError:
        raise UserError(f'{printable(folder)} is not named after a time') from None


def _number(text: str) -> int:
    return int(text.replace(',', ''))
