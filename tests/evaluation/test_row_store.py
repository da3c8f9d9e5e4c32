"""Tables on disk: finished, resumed, killed, damaged."""

from pathlib import Path

import pytest
import torch

from mmkd.errors import UserError
from mmkd.evaluation.row_store import Rows, RowStore


def row(place: int) -> Rows:
    return {'label': torch.tensor(place % 3), 'x': torch.full((2,), float(place))}


def fill(store: RowStore, blocks: list[int]) -> None:
    for block in blocks:
        store.write(block, [row(place) for place in store.places(block)])


def test_goes_on_with_the_blocks_that_lack(tmp_path: Path) -> None:
    store = RowStore(tmp_path / 'table.pth', total=10, block=4)
    assert store.missing() == [0, 1, 2] and store.read() is None
    assert list(store.places(2)) == [8, 9]
    fill(store, [1])
    again = RowStore(tmp_path / 'table.pth', total=10, block=4)
    assert again.missing() == [0, 2] and again.read() is None
    fill(again, [0, 2])
    table = again.merge()
    assert table['x'][:, 0].tolist() == list(range(10))
    found = store.read()
    assert found is not None and found['label'].tolist() == [p % 3 for p in range(10)]
    assert [path.name for path in tmp_path.iterdir()] == ['table.pth']


def test_processes_share_the_blocks(tmp_path: Path) -> None:
    store = RowStore(tmp_path / 'table.pth', total=10, block=2)
    shares = [store.missing(rank, 2) for rank in range(2)]
    assert shares == [[0, 2, 4], [1, 3]]
    # What another process has written meanwhile does not move the shares.
    fill(store, [0])
    assert store.missing(1, 2) == [1, 3]


def test_a_kill_leaves_nothing_wrong(tmp_path: Path) -> None:
    store = RowStore(tmp_path / 'table.pth', total=4, block=4)
    fill(store, [0])
    part = next(store.parts.iterdir())
    half = part.read_bytes()[: part.stat().st_size // 2]
    # As a kill leaves it: the half stands under its temporary name.
    part.rename(store.parts / f'.{part.name}.123')
    assert store.missing() == [0]
    fill(store, [0])
    assert store.merge()['x'][:, 0].tolist() == [0, 1, 2, 3]
    # A disk may lie: a damaged table counts as none.
    store.path.write_bytes(half)
    assert store.read() is None
    fill(store, [0])
    part.write_bytes(half)
    with pytest.raises(UserError, match=r'000000\.pth was damaged'):
        store.merge()
    assert store.missing() == [0]


def test_a_table_of_another_list_is_none(tmp_path: Path) -> None:
    store = RowStore(tmp_path / 'table.pth', total=4)
    fill(store, [0])
    store.merge()
    assert RowStore(tmp_path / 'table.pth', total=5).read() is None
