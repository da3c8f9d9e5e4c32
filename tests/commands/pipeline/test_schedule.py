"""Work in the order of its needs, several pieces at a time."""

import threading

import pytest

from mmkd.commands.pipeline.run import run_scheduled

NEEDS = {'a': [], 'b': ['a'], 'c': [], 'd': ['b', 'c'], 'e': ['c']}


def test_one_job_keeps_the_order():
    order: list[str] = []
    run_scheduled(NEEDS, order.append, 1)
    assert order == ['a', 'b', 'c', 'd', 'e']


def test_two_jobs_run_at_a_time_and_never_three():
    lock, met = threading.Lock(), threading.Barrier(2)
    done: list[str] = []
    running: set[str] = set()
    most = 0

    def work(name: str) -> None:
        nonlocal most
        with lock:
            assert set(NEEDS[name]) <= set(done)
            running.add(name)
            most = max(most, len(running))
        if name in 'ac':  # neither goes on before the other has started
            met.wait(10)
        with lock:
            running.discard(name)
            done.append(name)

    run_scheduled(NEEDS, work, 2)
    assert sorted(done) == list('abcde')
    assert most == 2


def test_a_failure_ends_it():
    order: list[str] = []

    def work(name: str) -> None:
        order.append(name)
        if name == 'b':
            raise SystemExit(3)

    with pytest.raises(SystemExit):
        run_scheduled(NEEDS, work, 1)
    assert order == ['a', 'b']


def test_a_circle_is_an_error():
    with pytest.raises(ValueError, match=r"\['x', 'y'\] wait"):
        run_scheduled({'a': [], 'x': ['y'], 'y': ['x']}, lambda name: None, 2)
