"""Give readers and samplers what nobody would, and count what they make of it.

    python -m tests.faults.fuzz --cases 2000 --seed 0

Each case either passes every check or ends in the error for users (``UserError``);
anything else is a fault, which is printed with the smallest input that shows it.
"""

import argparse
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from mmkd.errors import UserError
from tests.faults.fuzz_files import FILES
from tests.faults.fuzz_samplers import LENGTHS, SAMPLERS, check_sampler

TARGETS = [*FILES, *SAMPLERS]


def fuzz(target: str, cases: int, seed: int | None = None) -> Counter:
    """Try a target, and count the cases that were ``accepted`` and ``refused``.

    Args:
        target: One of :data:`TARGETS`.
        cases: How many.
        seed: Seed of the cases. None: the same at every time.

    Raises:
        Exception: Whatever a case led to that is no ``UserError``.
    """
    counts: Counter = Counter(accepted=0, refused=0)

    def note(work: Any, *arguments: Any) -> None:
        try:
            work(*arguments)
            counts['accepted'] += 1
        except UserError:
            counts['refused'] += 1

    options = settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=seed is None,
        suppress_health_check=list(HealthCheck),
    )
    with tempfile.TemporaryDirectory() as folder:
        if target in FILES:
            reader, contents = FILES[target]

            def case(data: bytes) -> None:
                note(reader, Path(folder), data)

            run = given(contents)(case)
        else:

            def case_of_sampler(options: Any, frames: int, seed: int) -> None:
                note(check_sampler, target, options, frames, seed)

            chosen = st.fixed_dictionaries(SAMPLERS[target][1])
            run = given(chosen, LENGTHS, st.integers(0, 2**32))(case_of_sampler)
        run = options(run)
        (run if seed is None else seeded(seed)(run))()
    return counts


def main() -> int:
    """Print the counts; the status is 1 if there was a fault."""
    parser = argparse.ArgumentParser(description='fuzz the readers and the samplers')
    parser.add_argument('--cases', type=int, default=2000, help='of each target')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('targets', nargs='*', help=', '.join(TARGETS))
    args = parser.parse_args()
    total: Counter = Counter()
    begin = time.monotonic()
    for target in args.targets or TARGETS:
        try:
            counts = fuzz(target, args.cases, args.seed)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            counts = Counter(faults=1)
        total += counts
        print(f'{target:>24}: {dict(counts)}', flush=True)
    print(f'{"all":>24}: {dict(total)}, {time.monotonic() - begin:.0f} s')
    return int(total['faults'] > 0)


if __name__ == '__main__':
    raise SystemExit(main())
