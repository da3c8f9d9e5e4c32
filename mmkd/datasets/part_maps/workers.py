"""Extract videos in this process or in several, each with a parser of its own."""

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from pathlib import Path

import cv2
import torch

from mmkd.datasets.part_maps.building import build_parser
from mmkd.datasets.part_maps.extractor import Extractor, VideoCost
from mmkd.errors import UserError

#: Name of a video, and what its maps took or why there are none.
Outcome = tuple[str, VideoCost | str]


@dataclass(frozen=True)
class Workers:
    """Runs an extractor over videos.

    Attributes:
        extractor: The one of this process.
        config: Config file of its parser, for further processes.
        count: Number of processes; 1 is this one.
    """

    extractor: Extractor
    config: Path
    count: int = 1

    def run(self, names: Sequence[str]) -> Iterator[Outcome]:
        """Extract videos, in any order; one that cannot be read stops no other.

        Raises:
            UserError: If a process dies.
        """
        if self.count == 1 or len(names) < 2:
            yield from (_attempt(self.extractor, name) for name in names)
            return
        # A fork would copy the locks of running threads.
        context = multiprocessing.get_context('spawn')
        bare = replace(self.extractor, parser=None)
        count = min(self.count, len(names))
        arguments = (bare, self.config, torch.get_num_threads())
        with ProcessPoolExecutor(count, context, _start, arguments) as pool:
            try:
                for done in as_completed([pool.submit(_work, n) for n in names]):
                    yield done.result()
            except BrokenProcessPool as error:
                raise UserError(
                    'a worker process died', 'Give fewer --workers: memory may be out.'
                ) from error
            finally:
                pool.shutdown(cancel_futures=True)


_own: Extractor


def _start(bare: Extractor, config: Path, threads: int) -> None:
    global _own
    threading.Thread(target=_die_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    cv2.setNumThreads(0)
    _own = replace(bare, parser=build_parser(config, bare.device))


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
