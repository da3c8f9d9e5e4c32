"""Every video once, also where the first run was stopped in the middle."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.registry import DATASETS

from mmkd.evaluation.feature_store import FeatureStore, Tensors
from mmkd.evaluation.feature_tables import fill_store


@DATASETS.register_module()
class Numbers(torch.utils.data.Dataset):
    """A list of 70 videos that are their own indices."""

    def __len__(self) -> int:
        return 70

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {'inputs': index}


# The sampler and the batches of a training loader must not matter.
LOADER = {
    'dataset': {'type': 'Numbers'},
    'batch_size': 8,
    'num_workers': 0,
    'persistent_workers': True,
    'drop_last': True,
    'sampler': {'type': 'DefaultSampler', 'shuffle': True},
}


class Encoder:
    """Squares of the indices, until ``last``."""

    def __init__(self, last: int = 99) -> None:
        self.last = last
        self.seen: list[int] = []

    def __call__(self, raw: Any) -> list[Tensors]:
        (index,) = raw['inputs']
        if index > self.last:
            raise InterruptedError
        self.seen.append(index)
        return [{'x': torch.tensor(float(index) ** 2)}]


def test_goes_on_in_the_middle(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / 'table.pth', total=70)
    first, second = Encoder(last=40), Encoder()
    with pytest.raises(InterruptedError):
        fill_store(store, LOADER, lambda: first, 'numbers')
    assert first.seen == list(range(41)) and store.read() is None
    fill_store(store, LOADER, lambda: second, 'numbers')
    assert second.seen == list(range(32, 70))
    table = store.read()
    assert table is not None
    assert table['x'].tolist() == [float(n) ** 2 for n in range(70)]
    # A finished table asks for no network.
    fill_store(store, LOADER, lambda: pytest.fail('encoded again'), 'numbers')


def test_a_second_run_waits_and_takes_what_the_first_one_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, store = (FeatureStore(tmp_path / 'table.pth', total=70) for _ in range(2))
    assert first.try_hold()
    looks = []

    def look(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:  # the first run comes to its end
            for block in first.missing():
                records = [{'x': torch.tensor(1.0)} for _ in first.positions(block)]
                first.write(block, records)
            first.merge()
            first.let_go()

    monkeypatch.setattr('mmkd.evaluation.feature_tables.time.sleep', look)
    encoder = Encoder()
    fill_store(store, LOADER, lambda: encoder, 'numbers')
    assert len(looks) == 2 and encoder.seen == []
    table = store.read()
    assert table is not None and table['x'].eq(1).all()
    assert capsys.readouterr().out.count('waiting for another run') == 1
