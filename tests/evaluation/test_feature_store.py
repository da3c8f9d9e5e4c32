"""Tables on disk: finished, resumed, killed, damaged."""

import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from mmkd.errors import UserError
from mmkd.evaluation.feature_store import FeatureStore, Tensors


def record(index: int) -> Tensors:
    return {'label': torch.tensor(index % 3), 'x': torch.full((2,), float(index))}


def fill(store: FeatureStore, blocks: list[int]) -> None:
    for block in blocks:
        store.write(block, [record(index) for index in store.positions(block)])


def test_goes_on_with_the_blocks_that_lack(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / 'table.pth', total=10, block=4)
    assert store.missing() == [0, 1, 2] and store.read() is None
    assert list(store.positions(2)) == [8, 9]
    fill(store, [1])
    again = FeatureStore(tmp_path / 'table.pth', total=10, block=4)
    assert again.missing() == [0, 2] and again.read() is None
    fill(again, [0, 2])
    table = again.merge()
    assert table['x'][:, 0].tolist() == list(range(10))
    found = store.read()
    assert found is not None and found['label'].tolist() == [p % 3 for p in range(10)]
    assert [path.name for path in tmp_path.iterdir()] == ['table.pth']


def test_processes_share_the_blocks(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / 'table.pth', total=10, block=2)
    shares = [store.missing(rank, 2) for rank in range(2)]
    assert shares == [[0, 2, 4], [1, 3]]
    # What another process has written meanwhile does not move the shares.
    fill(store, [0])
    assert store.missing(1, 2) == [1, 3]


def test_a_kill_leaves_nothing_wrong(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / 'table.pth', total=4, block=4)
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
    store = FeatureStore(tmp_path / 'table.pth', total=4)
    fill(store, [0])
    store.merge()
    assert FeatureStore(tmp_path / 'table.pth', total=5).read() is None


def bomb(path: Path, kind: str) -> None:
    """Write a small file that would take 8 GB, or 1 GB, once it is read."""
    many = 1 << 30
    if kind == 'stride 0':
        torch.save({'x': torch.zeros(1).expand(many, 2)}, path)
    elif kind == 'view':
        torch.save({'x': torch.zeros(4).as_strided((many, 2), (0, 1))}, path)
    elif kind == 'compressed':
        torch.save({'x': torch.zeros(1 << 20)}, path)
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
            for name, data in parts.items():
                archive.writestr(name, data)
    else:  # a buffer of any size, which weights_only allows
        data = b'\x80\x02cbuiltins\nbytearray\nJ' + struct.pack('<i', many) + b'\x85R.'
        with zipfile.ZipFile(path, 'w') as archive:
            archive.writestr('a/data.pkl', data)
            archive.writestr('a/version', '3')
            archive.writestr('a/byteorder', 'little')


@pytest.mark.parametrize('kind', ['stride 0', 'view', 'compressed', 'buffer'])
def test_a_small_file_of_a_large_table_is_no_table(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'table.pth'
    bomb(path, kind)
    assert path.stat().st_size < 10_000
    loaded: list[object] = []
    real = torch.load

    def load(*args: Any, **kwargs: Any) -> Any:
        loaded.append(kwargs['map_location'])
        return real(*args, **kwargs)

    monkeypatch.setattr(torch, 'load', load)
    assert FeatureStore(path, total=1 << 30).read() is None
    assert 'cpu' not in loaded  # nothing of it was built


@pytest.mark.parametrize('content', [torch.zeros(3), {}, {'x': 1}, {1: torch.zeros(3)}])
def test_what_is_no_table_is_none(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / 'table.pth')
    assert FeatureStore(tmp_path / 'table.pth', total=3).read() is None


def test_one_makes_the_table_at_a_time(tmp_path: Path) -> None:
    one, two = (FeatureStore(tmp_path / 'f/table.pth', total=4) for _ in range(2))
    assert one.try_hold() and not two.try_hold()
    one.let_go()
    assert two.try_hold()
    two.let_go()
    assert not list((tmp_path / 'f').iterdir())


def test_a_table_that_another_run_joined_is_taken(tmp_path: Path) -> None:
    """Without locks two may make it at once; that is no damage."""
    one, two = (FeatureStore(tmp_path / 'table.pth', total=4) for _ in range(2))
    fill(one, [0])
    fill(two, [0])
    table = one.merge()
    assert two.merge()['x'].equal(table['x'])
