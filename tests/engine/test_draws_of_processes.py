"""What two processes draw, begin with and freeze, against one process."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.hooks import Hook
from torch import Tensor, nn

from mmkd.datasets.seeded_dataset import SAMPLE_SEED, Draw, SeededDataset
from mmkd.engine.runner import ResumableRunner
from mmkd.engine.trained_model import freeze
from mmkd.models import ClipPreprocessor
from mmkd.models.backbones import R3D
from mmkd.models.clip_preprocessor import device_seeds
from mmkd.models.memory import MemoryBank
from tests.engine.toy import ToyNet
from tests.warm import run_group

AUGMENT = {
    'type': 'mmkd.ClipAugment',
    'crop': 6,
    'flip': 0.5,
    'jitter': {'p': 0.8},
    'gray': 0.3,
    'blur': {'p': 0.5, 'sigma': (0.1, 0.5)},
}


class Clips(torch.utils.data.Dataset):
    """Sixteen samples of two views."""

    metainfo: dict[str, Any] = {}

    def __len__(self) -> int:
        return 16

    def __getitem__(self, index: int) -> dict[str, Any]:
        generator = torch.Generator().manual_seed(index)
        clips = torch.randint(256, (2, 3, 4, 8, 10), generator=generator)
        sample = ActionDataSample(metainfo={'sample_idx': index})
        return {'inputs': clips.byte(), 'data_samples': sample}


def sample(index: int, seed: int) -> dict[str, Any]:
    return SeededDataset(Clips())[Draw(index, seed)]


def augmented(samples: list[dict[str, Any]]) -> Tensor:
    preprocessor = ClipPreprocessor('imagenet', augment=dict(AUGMENT))
    data = {key: [one[key] for one in samples] for key in samples[0]}
    return preprocessor(data, training=True)['inputs']


def test_the_device_draws_by_the_seed_of_the_sample():
    """Not by its position in the batch, nor by what was drawn before."""
    samples = [sample(0, 10), sample(0, 11), sample(0, 12)]
    together = augmented([*samples])
    torch.rand(1)
    apart = torch.cat([augmented([sample(0, seed)]) for seed in (12, 10, 11)])
    assert torch.equal(together[[2, 0, 1]], apart)
    assert not torch.equal(together[0], together[1])
    assert not torch.equal(together[0, 0], together[0, 1])  # views differ
    assert samples[0]['data_samples'].metainfo[SAMPLE_SEED] == 10


def test_without_seeds_the_first_process_draws_on_and_others_apart(monkeypatch):
    samples = [ActionDataSample(), ActionDataSample()]
    assert device_seeds(samples) is None
    monkeypatch.setattr('mmengine.dist.get_rank', lambda: 1)
    assert len(set(device_seeds(samples) or ())) == 2


STAGES: dict[str, Any] = {
    'depth': 18,
    'stage_blocks': (1, 1, 1, 1),
    'base_channels': 2,
    'with_pool2': False,
}


def test_stages_are_frozen_before_the_model_is_wrapped():
    net = R3D(frozen_stages=2, **STAGES).eval()
    freeze(net)
    trained = {n.split('.')[0] for n, p in net.named_parameters() if p.requires_grad}
    assert trained == {'layer3', 'layer4'} and not net.training


class ClipNet(ToyNet):
    """Augments on the device, draws dropout, has frozen stages and a bank."""

    def __init__(self) -> None:
        super().__init__()
        del self.backbone, self.cls_head
        self.data_preprocessor = ClipPreprocessor('imagenet', augment=dict(AUGMENT))
        self.backbone = R3D(frozen_stages=1, **STAGES)
        self.bank = MemoryBank(None, 3)
        # Held beside the model, as frozen teachers are: nobody wraps it.
        self.__dict__['teacher'] = nn.Linear(3, 3)
        self.seen: dict[int, Tensor] = {}
        self.dropped: list[Tensor] = []

    def forward(self, inputs: Tensor, data_samples: Any, mode: str = 'loss') -> Any:
        for clips, one in zip(inputs, data_samples, strict=True):
            self.seen[one.metainfo['sample_idx']] = clips.clone()
        maps = self.backbone(inputs.flatten(0, 1))
        self.dropped.append(nn.functional.dropout(torch.ones(64), 0.5))
        return {'loss': maps.square().mean()}


class Begin(Hook):
    """Notes the model of the first step."""

    def before_train(self, runner: Any) -> None:
        model = getattr(runner.model, 'module', runner.model)
        self.bank = model.bank.features.clone()
        self.teacher = model.teacher.weight.detach().clone()


def train(folder: Path, processes: int, apart: bool) -> dict[str, Any]:
    """Train one epoch of a global batch of 8."""
    loader = {
        'dataset': {'type': Clips},
        'sampler': {'type': 'DefaultSampler', 'shuffle': True},
        'batch_size': 8 // processes,
        'num_workers': 0,
        'collate_fn': {'type': 'pseudo_collate'},
    }
    begin = Begin()
    runner = ResumableRunner(
        model=ClipNet(),
        work_dir=str(folder / f'{processes}{apart}'),
        train_dataloader=loader,
        train_cfg={'by_epoch': True, 'max_epochs': 1},
        optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.01}},
        custom_hooks=[{'type': 'mmkd.MemoryBankSizeHook'}, begin],
        randomness={'seed': 5, 'diff_rank_seed': apart},
        launcher='pytorch' if processes > 1 else 'none',
        experiment_name=f'{processes}{apart}',
        log_level='ERROR',
    )
    runner.train()
    model = getattr(runner.model, 'module', runner.model)
    return {
        'seen': model.seen,
        'dropped': model.dropped,
        'bank': begin.bank,
        'teacher': begin.teacher,
    }


def worker(rank: int, folder: Path) -> dict[bool, Any]:
    # Models are built before the runner sets its seeds: as different as can be.
    torch.manual_seed(rank)
    return {apart: train(folder, 2, apart) for apart in (False, True)}


@pytest.fixture(scope='module')
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[bool, Any]]:
    folder = tmp_path_factory.mktemp('processes')
    return run_group(2, worker, folder, folder)


@pytest.mark.slow
def test_two_processes_augment_as_one_does(ranks, tmp_path):
    """With different seeds of the processes as well: draws go by the sample."""
    alone = train(tmp_path, 1, False)['seen']
    assert len(alone) == 16
    for apart in (False, True):
        together = ranks[0][apart]['seen'] | ranks[1][apart]['seen']
        assert not ranks[0][apart]['seen'].keys() & ranks[1][apart]['seen'].keys()
        assert together.keys() == alone.keys()
        assert all(torch.equal(together[key], alone[key]) for key in alone)


@pytest.mark.slow
@pytest.mark.parametrize('apart', [False, True])
def test_two_processes_drop_independently(ranks, tmp_path, apart):
    one, other = (rank[apart]['dropped'] for rank in ranks)
    assert len(one) == len(other) == 2
    assert not any(torch.equal(a, b) for a in one for b in other)
    alone = train(tmp_path, 1, apart)['dropped']
    assert all(map(torch.equal, one, alone))  # the first one draws as it would alone


@pytest.mark.slow
@pytest.mark.parametrize('apart', [False, True])
@pytest.mark.parametrize('part', ['bank', 'teacher'])
def test_two_processes_begin_with_one_model(ranks, apart, part):
    one, other = (rank[apart][part] for rank in ranks)
    assert one.numel() and torch.equal(one, other)
