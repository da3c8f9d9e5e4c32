"""Extract the part maps of a list of videos into a cache."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from mmkd.datasets.part_maps.building import build_parser, identity_of
from mmkd.datasets.part_maps.extractor import Extractor, VideoCost
from mmkd.datasets.part_maps.identity import Form, claim, read_identity
from mmkd.datasets.part_maps.resuming import remaining, remove_leftovers
from mmkd.datasets.part_maps.verifying import verify
from mmkd.datasets.part_maps.workers import Outcome, Workers
from mmkd.progress import track

PROBED = 3
"""Videos that the estimate is made from."""


@dataclass(frozen=True)
class ExtractionOptions:
    """What to extract, with what, to where.

    Attributes:
        config: Config file of the parser.
        out: Folder of the cache.
        prefix: Folder of the videos.
        form: ``'labels'`` or ``'probabilities'``.
        size: Cells of a side of a map.
        stride: One frame in so many gets a map.
        batch_size: Frames that the parser sees at a time.
        workers: Processes.
        device: Where the parser runs.
    """

    config: Path
    out: Path
    prefix: Path
    form: Form = 'labels'
    size: int = 56
    stride: int = 1
    batch_size: int = 16
    workers: int = 1
    device: str = 'cpu'


@dataclass
class Summary:
    """What an extraction did.

    Attributes:
        cost: Of the videos that were extracted.
        done: Videos that had their maps before.
        failed: Name to reason of videos without maps.
        seconds: Time that it took.
    """

    cost: VideoCost = field(default_factory=VideoCost)
    done: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count what became of one video."""
        name, result = outcome
        if isinstance(result, VideoCost):
            self.cost += result
        else:
            self.failed[name] = result

    def text(self) -> str:
        """Describe it in a few lines."""
        cost = self.cost
        lines = [f'{self.done} videos had their maps already'] if self.done else []
        if cost.videos:
            lines.append(
                f'{cost.videos} videos, {cost.maps} maps in {duration(self.seconds)}: '
                f'{duration(cost.seconds / cost.videos)} and '
                f'{size(cost.bytes / cost.videos)} a video, {size(cost.bytes)} in all'
            )
            share = 100 * cost.empty / cost.maps
            lines.append(f'{share:.1f} % of the maps are all background')
        for name, reason in list(self.failed.items())[:10]:
            lines.append(f'no maps of {name}: {reason}')
        if len(self.failed) > 10:
            lines.append(f'and {len(self.failed) - 10} more without maps')
        return '\n'.join(lines)


def extract(
    names: Sequence[str],
    options: ExtractionOptions,
    say: Callable[[str], None] = print,
) -> Summary:
    """Extract the maps of videos, or what is still missing of them.

    A call that was interrupted or killed is taken up by the next one; the files are
    then the same, byte for byte, as those of an unbroken one. Several machines may
    extract different videos into the same folder.

    Args:
        names: Paths of the videos below ``options.prefix``.
        options: The rest.
        say: Takes lines for the user: an estimate after the first few videos.

    Returns:
        What was done. Videos that could not be read are in it, and stop no other.

    Raises:
        UserError: If the parser cannot be built, or the folder is the cache of another
            one.
    """
    start = time.perf_counter()
    workers = prepare(options)
    extractor = workers.extractor
    claim(options.out, extractor.identity)
    remove_leftovers(options.out, names)
    left = remaining(options.out, options.prefix, names, extractor.identity)
    if left.renewed:
        say(f'{left.renewed} files are damaged or of other videos: extracted anew')
    summary = Summary(done=len(left.done))
    first, rest = left.todo[:PROBED], left.todo[PROBED:]
    _collect(replace(workers, count=1).run(first), summary)
    if rest and summary.cost.videos:
        say(estimate(summary.cost, len(rest), options.workers))
    if rest:
        _collect(track(workers.run(rest), 'extracting maps', len(rest)), summary)
    summary.seconds = time.perf_counter() - start
    return summary


def prepare(options: ExtractionOptions) -> Workers:
    """Build the parser and what runs it.

    Raises:
        UserError: If it cannot be built.
    """
    if options.workers > 1:
        # All processes alike, this one too: sums in another order could tip a label.
        torch.set_num_threads(max(1, torch.get_num_threads() // options.workers))
    parser = build_parser(options.config, options.device)
    identity = identity_of(parser, options.form, options.size, options.stride)
    extractor = Extractor(
        parser=parser,
        identity=identity,
        folder=options.out,
        prefix=options.prefix,
        batch_size=options.batch_size,
        device=options.device,
    )
    return Workers(extractor, options.config, options.workers)


def check(names: Sequence[str], options: ExtractionOptions) -> dict[str, str]:
    """Verify the maps of videos completely.

    Returns:
        Name to reason of those that cannot be relied on.

    Raises:
        UserError: If the folder is no cache, or that of another parser or form.
    """
    identity = prepare(options).extractor.identity
    found = read_identity(options.out)
    identity.require(found, options.out, 'Name the parser and form of the cache.')
    return verify(options.out, options.prefix, names, identity)


def _collect(outcomes: Iterable[Outcome], summary: Summary) -> None:
    for outcome in outcomes:
        summary.add(outcome)


def estimate(cost: VideoCost, left: int, workers: int) -> str:
    """Say what the remaining videos will take, from what the first ones took."""
    seconds, amount = cost.seconds / cost.videos, cost.bytes / cost.videos
    return (
        f'estimate from {cost.videos} videos: {duration(seconds)} and {size(amount)} a '
        f'video; {left} are left: {duration(seconds * left / workers)} with {workers} '
        f'workers, {size(amount * left)}'
    )


def duration(seconds: float) -> str:
    """Write a time in the unit that suits it."""
    for unit, length in (('h', 3600), ('min', 60)):
        if seconds >= 1.5 * length:
            return f'{seconds / length:.1f} {unit}'
    return f'{seconds:.2f} s'


def size(count: float) -> str:
    """Write a number of bytes in the unit that suits it."""
    for unit in ('B', 'kB', 'MB'):
        if count < 1000:
            return f'{count:.3g} {unit}'
        count /= 1000
    return f'{count:.3g} GB'
