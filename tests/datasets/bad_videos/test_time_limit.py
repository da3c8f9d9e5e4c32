import threading

import pytest

from mmkd.datasets.bad_videos import TimeUp, within


def test_result_and_error_come_through():
    assert within(10, lambda given_up: 7) == 7
    assert within(0, lambda given_up: 8) == 8
    with pytest.raises(KeyError, match='x'):
        within(10, lambda given_up: {}['x'])


def test_no_limit_takes_no_thread():
    here = threading.current_thread()
    assert within(0, lambda given_up: threading.current_thread()) is here
    assert within(10, lambda given_up: threading.current_thread()) is not here


def test_work_that_does_not_end_is_left_and_told_so():
    told, go_on, before = [], threading.Event(), threading.enumerate()

    def work(given_up):
        go_on.wait(30)
        told.append(given_up.is_set())

    with pytest.raises(TimeUp, match=r'not done within 0\.05 s'):
        within(0.05, work)
    assert told == []
    go_on.set()
    for thread in {*threading.enumerate()} - {*before}:
        thread.join(10)
    assert told == [True]
