from collections import Counter

import pytest

from tests.faults.kill_runs import kill_runs


@pytest.mark.slow
def test_nothing_is_lost_to_kill_9(tmp_path):
    """Few kills; ``python -m tests.faults.kill_runs --kills 200`` for many."""
    counts = kill_runs(kills=4, seed=0, folder=tmp_path)
    assert counts['kills'] == 4 and counts['finished'] > 0
    bad = ('damaged_files', 'failed_starts', 'checkpoints_lost', 'other_weights')
    assert counts & Counter(dict.fromkeys(bad, 1)) == Counter()
