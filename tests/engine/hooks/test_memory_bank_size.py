from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset
from torch import nn

from mmkd.engine.hooks import LoadReportHook, MemoryBankSizeHook
from mmkd.engine.sample_lists import number_of_videos
from mmkd.errors import UserError
from mmkd.models.memory import MemoryBank
from tests.engine.toy import ToyNet, ToySet, toy_runner


class ToyBankNet(ToyNet):
    """Writes a feature of ones into its bank at every step."""

    def __init__(self, size: int | None = None) -> None:
        super().__init__()
        self.bank = MemoryBank(size, 3)

    def forward(self, inputs, labels, mode='loss'):
        self.bank.update(torch.arange(1), torch.ones(1, 3))
        return super().forward(inputs, labels, mode)


def runner_with(folder: Path, size: int | None = None, **options):
    return toy_runner(
        folder,
        model=ToyBankNet(size),
        custom_hooks=[LoadReportHook(), MemoryBankSizeHook()],
        **options,
    )


def saved_bank(path: Path) -> torch.Tensor:
    checkpoint = torch.load(path, weights_only=True)
    return checkpoint['state_dict']['bank.features']


def test_a_bank_gets_a_row_for_each_video(tmp_path: Path) -> None:
    runner = runner_with(tmp_path, epochs=1)
    runner.train()
    features = runner.model.bank.features
    assert features.shape == (16, 3)
    assert features[0].norm().item() == pytest.approx(1)
    assert torch.equal(saved_bank(tmp_path / 'epoch_1.pth'), features)


def test_a_given_size_stays_and_must_suffice(tmp_path: Path) -> None:
    runner = runner_with(tmp_path, 20, epochs=1)
    runner.train()
    assert runner.model.bank.size == 20
    with pytest.raises(UserError, match='15 features, the training list 16 videos'):
        runner_with(tmp_path, 15, epochs=1).train()


def test_a_resumed_bank_is_exact(tmp_path: Path) -> None:
    straight = runner_with(tmp_path / 'a', epochs=2)
    straight.train()
    runner_with(tmp_path / 'b', epochs=1).train()
    resumed = runner_with(
        tmp_path / 'b',
        epochs=2,
        resume=True,
        load_from=str(tmp_path / 'b/epoch_1.pth'),
        # another start of the bank, if it were not restored
        randomness={'seed': 4},
    )
    resumed.train()
    assert resumed.epoch == 2
    assert torch.equal(resumed.model.bank.features, straight.model.bank.features)


def test_a_bank_of_another_list_is_reported_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner_with(tmp_path / 'a', 20, epochs=1).train()
    runner = runner_with(
        tmp_path / 'b',
        epochs=1,
        load_from=str(tmp_path / 'a/epoch_1.pth'),
        log_level='INFO',
    )
    runner.train()
    said = 'other shape, not loaded: bank.features (20, 3) for (16, 3)'
    assert said in capsys.readouterr().out
    assert runner.model.bank.size == 16


def test_a_model_without_a_bank_is_left_alone() -> None:
    # no data set: it is not asked for
    MemoryBankSizeHook().before_run(SimpleNamespace(model=nn.Linear(1, 1)))


class Listed(BaseDataset):
    def load_data_list(self):
        return [{'name': str(i)} for i in range(7)]


def test_videos_are_counted_once() -> None:
    assert number_of_videos(ToySet()) == 16
    assert number_of_videos(Listed()) == 7
    repeated = RepeatDataset(Listed(), times=10)
    assert number_of_videos(repeated) == 7
    indices = {repeated[i]['sample_idx'] for i in range(len(repeated))}
    assert indices == set(range(7))


def test_joined_lists_are_the_users_error() -> None:
    joined = ConcatDataset([Listed(), Listed()])
    with pytest.raises(UserError, match='indices of a ConcatDataset'):
        number_of_videos(joined)
