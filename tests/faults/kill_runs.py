"""Kill runs at random moments, and count what was lost.

    python -m tests.faults.kill_runs --kills 200 --seed 0

A process that has everything imported forks one short run after the other and kills
each with SIGKILL: three in four from the beginning of a save on, the others at any time
from the start of the process. The next run goes on from what is there. A run that gets
to its end is compared with one that nobody disturbed, and a new one begins.
"""

import argparse
import os
import random
import select
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch

from mmkd.last_checkpoint import is_whole, latest_checkpoint
from tests.engine.micro_runs import differences
from tests.faults.toy_run import EPOCHS, STEPS, toy_run

FINAL = f'iter_{EPOCHS * STEPS}.pth'
_LIMIT = 60.0  # seconds; a run takes one


@dataclass
class Child:
    """A forked run, and what it reports."""

    pid: int
    pipe: int

    def read(self, seconds: float) -> str:
        """Return what was reported within some time; '' if nothing was."""
        ready, _, _ = select.select([self.pipe], [], [], max(seconds, 0))
        return os.read(self.pipe, 4096).decode() if ready else ''

    def kill(self) -> int:
        """Kill it, and return how it ended: -9, or its status if it was faster."""
        os.kill(self.pid, signal.SIGKILL)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end."""
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


def start(work_dir: Path, log: Path) -> Child:
    """Fork a run that goes on from what lies in the folder."""
    mine, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return Child(pid, mine)
    status = 1
    try:
        with log.open('ab') as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        report = lambda text: os.write(theirs, f'{text}\n'.encode())  # noqa: E731
        toy_run(work_dir, report).train()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def steps_left(work_dir: Path) -> tuple[int, int]:
    """Return the step that a run would go on from, and the newest that is on disk."""

    def step(path: Path | str | None) -> int:
        if path is None:
            return 0
        return int(torch.load(path, weights_only=True)['meta']['iter'])

    every = [step(path) for path in work_dir.glob('*.pth') if is_whole(path)]
    return step(latest_checkpoint(str(work_dir))), max(every, default=0)


def damaged(work_dir: Path) -> list[Path]:
    """Return the checkpoints that bear their final name and are not whole."""
    return [path for path in work_dir.glob('*.pth') if not is_whole(path)]


def undisturbed(folder: Path) -> tuple[dict, float, float]:
    """Return the final weights, and how long a run and a save in it take."""
    begin, saves, reported = time.monotonic(), [], []
    child = start(folder / 'straight', folder / 'log')
    while text := child.read(_LIMIT):
        saves.append(time.monotonic())
        reported.append(text)
    if child.wait():
        raise RuntimeError((folder / 'log').read_text())
    pairs = zip(saves[::2], saves[1::2], strict=False)
    longest = max(b - a for a, b in pairs)
    return weights(folder / 'straight'), time.monotonic() - begin, longest


def weights(work_dir: Path) -> dict:
    """Return what is left of a finished run, without what tells of time."""
    checkpoint = torch.load(work_dir / FINAL, weights_only=True)
    kept = ('state_dict', 'optimizer', 'param_schedulers')
    return {key: checkpoint[key] for key in kept}


def disturb(child: Child, whole: float, save: float) -> tuple[int, bool, int]:
    """Kill a run at a random moment.

    Returns:
        How it ended, whether a save was going on, and the last step reported as saved.
    """
    in_save = random.random() < 0.75
    wanted = random.randint(1, 3) if in_save else sys.maxsize
    delay = random.uniform(0, 1.5 * save if in_save else whole)
    deadline = time.monotonic() + (_LIMIT if in_save else delay)
    lines: list[str] = []
    while (left := deadline - time.monotonic()) > 0:
        text = child.read(left)
        if not text and time.monotonic() < deadline:
            break  # it has ended
        lines += text.split('\n')[:-1]
        if lines.count('save') >= wanted:
            deadline, wanted = time.monotonic() + delay, sys.maxsize
    status = child.kill()
    while text := child.read(0):  # what it said before it was killed
        lines += text.split('\n')[:-1]
    saved = [int(line.split()[1]) for line in lines if line.startswith('saved')]
    return status, bool(lines) and lines[-1] == 'save', max(saved, default=0)


def kill_runs(kills: int, seed: int, folder: Path) -> Counter:
    """Kill runs as often as asked, and return the counts."""
    random.seed(seed)
    torch.set_num_threads(1)
    toy_run(folder / 'warm', lambda text: None).train()  # what is imported on first use
    expected, whole, save = undisturbed(folder)
    counts: Counter = Counter(kills=0, killed_while_saving=0, starts=0, resumed=0)
    counts.update(not_yet_named=0, damaged_files=0, failed_starts=0)
    counts.update(checkpoints_lost=0, finished=0, other_weights=0)
    run, known = 0, 0
    while counts['kills'] < kills or known:
        work_dir = folder / f'run{run}'
        child = start(work_dir, folder / 'log')
        counts['starts'] += 1
        counts['resumed'] += known > 0
        if counts['kills'] < kills:
            status, saving, saved = disturb(child, whole, save)
        else:
            while child.read(_LIMIT):
                pass
            status, saving, saved = child.wait(), False, 0
        os.close(child.pipe)
        known = max(known, saved)
        if status == -signal.SIGKILL:
            counts['kills'] += 1
            counts['killed_while_saving'] += saving
            named, newest = steps_left(work_dir)
            counts['checkpoints_lost'] += newest < known
            # Complete, but killed before it was named: the one before is taken.
            counts['not_yet_named'] += named < newest
            counts['damaged_files'] += bool(damaged(work_dir))
        elif status == 0:
            counts['finished'] += 1
            counts['other_weights'] += bool(differences(expected, weights(work_dir)))
            run, known = run + 1, 0
        else:
            counts['failed_starts'] += 1
            run, known = run + 1, 0
    return counts


def main() -> int:
    """Print the counts; the status is 1 if anything was lost."""
    parser = argparse.ArgumentParser(description='kill runs, count what was lost')
    parser.add_argument('--kills', type=int, default=200)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        counts = kill_runs(args.kills, args.seed, Path(folder))
        if counts['failed_starts']:
            print((Path(folder) / 'log').read_text()[-4000:])
    for name, count in counts.items():
        print(f'{name.replace("_", " "):>20}: {count}')
    print(f'{"seconds":>20}: {time.monotonic() - begin:.0f}')
    bad = ('damaged_files', 'failed_starts', 'checkpoints_lost', 'other_weights')
    return int(any(counts[name] for name in bad) or not counts['finished'])


if __name__ == '__main__':
    raise SystemExit(main())
