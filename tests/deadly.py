"""Decoders that do not come back, and decoders that take their process along."""

import ctypes
import os
import re
from collections.abc import Callable
from typing import Any

from mmkd.datasets.transforms import OpenVideo
from mmkd.registry import TRANSFORMS


def _fails() -> None:
    raise RuntimeError('fails')


def _segfault() -> None:
    ctypes.string_at(0)


def _computes_with_the_lock() -> None:
    """A search that would take the age of the universe, inside of one call."""
    re.match('(a+)+$', 'a' * 80 + 'b')


def _computes_without_the_lock() -> None:
    while True:
        pass


def _waits_with_the_lock() -> None:
    """As two threads of a library that wait for each other and for Python."""
    ctypes.PyDLL(None).pause()


DEEDS: dict[str, Callable[[], Any]] = {
    'fails': _fails,
    'segfault': _segfault,
    'abort': os.abort,
    'exit': lambda: os._exit(3),
    'killed': lambda: os.kill(os.getpid(), 9),
    'computes with the lock': _computes_with_the_lock,
    'computes without the lock': _computes_without_the_lock,
    'waits with the lock': _waits_with_the_lock,
}


@TRANSFORMS.register_module()
class Deadly(OpenVideo):
    """Does something bad at certain videos, before it opens them.

    Args:
        deeds: What it does, by the end of a file name.
    """

    def __init__(self, **deeds: str) -> None:
        super().__init__()
        self.deeds = deeds

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        for end, deed in self.deeds.items():
            if results['filename'].endswith(end):
                DEEDS[deed]()
        return super().transform(results)
