"""Extract the part maps of a list of videos into a cache, or what is missing of them.

In this process or in several, each with a parser of its own.
"""

import hashlib
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path

import cv2
import torch

from mmkd.ctrl_c import kept_from_children
from mmkd.errors import UserError, printable
from mmkd.files import remove_leftovers, sha256
from mmkd.locks import LOCK, locked_folder
from mmkd.methods.human_prior.part_maps.cache import PartMapFile, check_video, map_path
from mmkd.methods.human_prior.part_maps.extractor import (
    ExtractionOptions,
    Extractor,
    VideoCost,
    build_parser,
    stored_frames,
)
from mmkd.methods.human_prior.part_maps.identity import (
    FILE_NAME,
    CacheIdentity,
    claim,
    read_identity,
)
from mmkd.processes import process_context
from mmkd.progress import track

PROBED = 3
"""Videos that the estimate is made from."""

#: Name of a video, and what its maps took or why there are none.
Outcome = tuple[str, VideoCost | str]


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

    def add(self, name: str, result: VideoCost | str) -> None:
        """Count what became of one video."""
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
                f'{cost.videos} videos, {cost.maps} maps in {_duration(self.seconds)}: '
                f'{_duration(cost.seconds / cost.videos)} and '
                f'{_size(cost.bytes / cost.videos)} a video, {_size(cost.bytes)} in all'
            )
            share = 100 * cost.empty / cost.maps
            lines.append(f'{share:.1f} % of the maps are all background')
        for name, reason in list(self.failed.items())[:10]:
            lines.append(f'no maps of {printable(name)}: {printable(reason)}')
        if len(self.failed) > 10:
            lines.append(f'and {len(self.failed) - 10} more without maps')
        return '\n'.join(lines)

    def estimate(self, left: int, workers: int) -> str:
        """Say what the remaining videos will take, from what the first ones took."""
        videos = self.cost.videos
        seconds, amount = self.cost.seconds / videos, self.cost.bytes / videos
        return (
            f'estimate from {videos} videos: {_duration(seconds)} and {_size(amount)} '
            f'a video; {left} are left: {_duration(seconds * left / workers)} with '
            f'{workers} workers, {_size(amount * left)}'
        )


def _duration(seconds: float) -> str:
    for unit, length in (('h', 3600), ('min', 60)):
        if seconds >= 1.5 * length:
            return f'{seconds / length:.1f} {unit}'
    return f'{seconds:.2f} s'


def _size(count: float) -> str:
    for unit in ('B', 'kB', 'MB'):
        if count < 1000:
            return f'{count:.3g} {unit}'
        count /= 1000
    return f'{count:.3g} GB'


def extract(
    names: Sequence[str],
    options: ExtractionOptions,
    say: Callable[[str], None] = print,
) -> Summary:
    """Extract the maps of videos, or what is still missing of them.

    A call that was interrupted or killed is taken up by the next one; the files are
    then the same, byte for byte, as those of an unbroken one. Several processes and
    machines may extract different videos into the same folder; a second one with the
    same videos is refused.

    Args:
        names: Paths of the videos below ``options.prefix``.
        options: The rest.
        say: Takes lines for the user: an estimate after the first few videos.

    Returns:
        What was done. Videos that could not be read are in it, and stop no other.

    Raises:
        UserError: If the parser cannot be built, the folder is the cache of another
            one, or another call is extracting these videos into it.
    """
    start = time.perf_counter()
    extractor = _prepare(options)
    text = '\0'.join(sorted(names)).encode(errors='surrogateescape')
    lock = f'.{hashlib.sha256(text).hexdigest()[:16]}{LOCK}'
    with locked_folder(options.out, 'extraction of these videos', lock):
        summary = _extract(names, extractor, say)
    summary.seconds = time.perf_counter() - start
    return summary


def _extract(
    names: Sequence[str], extractor: Extractor, say: Callable[[str], None]
) -> Summary:
    options = extractor.options
    claim(options.out, extractor.identity)
    _remove_leftovers(options.out, names)
    todo, renewed = _remaining(names, options, extractor.identity)
    if renewed:
        say(f'{renewed} files are damaged or of other videos: extracted again')
    summary = Summary(done=len(names) - len(todo))
    for name in todo[:PROBED]:
        summary.add(*_attempt(extractor, name))
    rest = todo[PROBED:]
    if rest and summary.cost.videos:
        say(summary.estimate(len(rest), options.workers))
    if rest:
        for outcome in track(_run(extractor, rest), 'extracting maps', len(rest)):
            summary.add(*outcome)
    return summary


def _prepare(options: ExtractionOptions) -> Extractor:
    """Build the parser and what extracts with it."""
    if options.workers > 1:
        # All processes alike, this one too: sums in another order could tip a label.
        torch.set_num_threads(max(1, torch.get_num_threads() // options.workers))
    parser = build_parser(options.config, options.device)
    identity = CacheIdentity(
        parser.identity(),
        parser.label_set,
        options.form,
        options.size,
        options.stride,
    )
    return Extractor(options, parser, identity)


def _remaining(
    names: Sequence[str], options: ExtractionOptions, identity: CacheIdentity
) -> tuple[list[str], int]:
    """Return the videos that lack sound maps, and how many have a file to be replaced.

    Maps are sound if a whole file of this cache tells the size of the video's file; one
    of another teacher or form is refused.
    """
    todo, renewed = [], 0
    for name in names:
        path = map_path(options.out, name)
        there = path.is_file()
        if not there or not _is_sound(path, options.prefix / name, identity):
            todo.append(name)
            renewed += there
    return todo, renewed


def _is_sound(path: Path, video: Path, identity: CacheIdentity) -> bool:
    try:
        maps = PartMapFile.open(path)
    except UserError:
        return False
    identity.require(maps.identity, path, 'Delete it, or extract elsewhere.')
    try:
        check_video(maps, str(video), None)
    except UserError:
        return False
    return True


def _remove_leftovers(folder: Path, names: Sequence[str]) -> None:
    """Delete temporary files of killed runs beside these files and ``cache.json``.

    Not what another process is writing.
    """
    ours: dict[Path, set[str]] = {folder: {FILE_NAME}}
    for path in (map_path(folder, name) for name in names):
        ours.setdefault(path.parent, set()).add(path.name)
    for parent in sorted(ours):
        if parent.is_dir():
            remove_leftovers(parent, ours[parent].__contains__)


def check(names: Sequence[str], options: ExtractionOptions) -> dict[str, str]:
    """Verify the maps of videos completely.

    Returns:
        Name to reason of those that cannot be relied on.

    Raises:
        UserError: If the folder is no cache, or that of another parser or form.
    """
    identity = _prepare(options).identity
    found = read_identity(options.out)
    identity.require(found, options.out, 'Name the parser and form of the cache.')
    bad: dict[str, str] = {}
    for name in track(names, 'verifying maps'):
        try:
            _verify(map_path(options.out, name), options.prefix / name, identity)
        except UserError as error:
            bad[name] = error.what
    return bad


def _verify(path: Path, video: Path, identity: CacheIdentity) -> None:
    maps = PartMapFile.open(path)
    identity.require(maps.identity, path, '')
    expected = stored_frames(maps.video.frames, identity.stride)
    if maps.frames.tolist() != expected.tolist():
        raise UserError(f'{path} lacks maps, or has some of other frames')
    try:
        same = sha256(video) == maps.video.sha256
    except OSError as error:
        raise UserError(f'{video} cannot be read: {error.strerror}') from error
    if not same:
        raise UserError(f'{path} is of another file than {video} (SHA-256)')
    for position in range(len(maps.frames)):
        maps.read([position])
    maps.shard.check()


def _run(extractor: Extractor, names: Sequence[str]) -> Iterator[Outcome]:
    """Extract videos, in any order; one that cannot be read stops no other."""
    count = min(extractor.options.workers, len(names))
    if count == 1:
        yield from (_attempt(extractor, name) for name in names)
        return
    # A fork would copy the locks of running threads.
    context = process_context('spawn')
    arguments = (extractor.options, extractor.identity, torch.get_num_threads())
    with ProcessPoolExecutor(count, context, _start, arguments) as pool:
        try:
            with kept_from_children():  # the first job starts all processes
                submitted = [pool.submit(_work, name) for name in names]
            for done in as_completed(submitted):
                yield done.result()
        except BrokenProcessPool as error:
            raise UserError(
                'a worker process died', 'Give fewer --workers: memory may be out.'
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


_own: Extractor


def _start(options: ExtractionOptions, identity: CacheIdentity, threads: int) -> None:
    """Prepare a process: it gets a parser of its own."""
    global _own
    threading.Thread(target=_die_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    cv2.setNumThreads(0)
    parser = build_parser(options.config, options.device)
    _own = Extractor(options, parser, identity)


def _die_with_parent() -> None:
    # A killed parent would leave its workers waiting for ever, with their memory.
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _work(name: str) -> Outcome:
    return _attempt(_own, name)


def _attempt(extractor: Extractor, name: str) -> Outcome:
    try:
        return name, extractor.extract(name)
    except UserError as error:
        return name, str(error)
