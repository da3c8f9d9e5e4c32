"""Loaders that would leave a process waiting are refused."""

import pytest

from mmkd.engine.agreement import check_length
from mmkd.errors import UserError


@pytest.mark.parametrize('others', [[3, 4], [4, 3], [4, 3, 4]])
def test_uneven_batches_are_refused(monkeypatch, others):
    """`round_up=False` gives one process a batch that the others lack."""
    monkeypatch.setattr('mmengine.dist.all_gather_object', lambda own: others)
    with pytest.raises(UserError, match='3 batches to one process and 4 to another'):
        check_length(range(4), 'train_dataloader', every_process=True)
    check_length(range(4), 'val_dataloader', every_process=False)
