"""Threads that wait without burning the core that others need."""

import os


def wait_passively() -> None:
    """Let idle threads of the CPU kernels sleep instead of spinning, unless told else.

    On two cores shared with two loader workers, spinning threads hold up the thread
    that has work: a step of R3D took 2.2 to 2.8 s beside one other busy process, and
    0.4 to 0.7 s with sleeping threads. Call it before torch is imported; GNU OpenMP
    reads the variable once.
    """
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
