"""Threads that wait without burning the core that others need."""

import os


def wait_passively() -> None:
    """Let idle threads of the CPU kernels sleep instead of spinning, unless told else.

    On two cores shared with two loader workers, spinning threads hold up the thread
    that has work. Measured twice on two cores that other processes kept busy (step of
    the tiny R3D, 16 clips, 20 November 2026): 2.2 and 2.8 s spinning, 0.4 and 0.7 s
    sleeping. Call it before torch is imported; GNU OpenMP reads the variable once.
    """
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
