"""Seed statelessly: one seed per step and sample, so that runs are reproducible.

A generator that runs on from draw to draw has to be saved and restored to the bit, for
every process and every loader worker, and a worker that prefetches is always ahead of
what was saved. Here each step and each sample restarts the generators from a number
that is computed from the seed of the run and the position of the step or sample. A
resumed run so draws what the unbroken one would have drawn, with nothing stored, with
any number of workers, and no epoch repeats the draws of another. The idea is that of
counter-based generators, https://doi.org/10.1145/2063384.2063405.
"""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_for(*position: int | str) -> int:
    """Return a number of 63 bits that any part of ``position`` changes."""
    text = ' '.join(map(str, position)).encode()
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return int.from_bytes(digest, 'little') >> 1


def seed_everything(seed: int) -> None:
    """Start the generators of Python, NumPy and torch (each device) at ``seed``."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


@contextmanager
def drawing_from(seed: int, on_devices: bool = False) -> Iterator[None]:
    """Draw from generators started at ``seed``, and leave them as they were found.

    The generators of Python, NumPy and torch's CPU; those of its devices if asked to.
    """
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=None if on_devices else []):
        if on_devices:
            seed_everything(seed)
        else:
            random.seed(seed)
            np.random.seed(seed % 2**32)
            torch.default_generator.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
