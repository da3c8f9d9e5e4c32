"""Few cases; ``python -m tests.faults.fuzz --cases 2000`` for many."""

import pytest

from tests.faults.fuzz import TARGETS, fuzz


@pytest.mark.parametrize('target', TARGETS)
def test_nothing_but_the_error_for_users(target):
    counts = fuzz(target, cases=30)
    assert counts['accepted'] + counts['refused'] >= 30
    assert counts['accepted'] > 0
    assert counts['refused'] > 0
