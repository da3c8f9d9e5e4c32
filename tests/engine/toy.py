"""A network of two layers, its data, and runners that train it in a blink."""

import uuid
from pathlib import Path
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset


class ToyNet(BaseModel):
    def __init__(self, width: int = 4, classes: int = 2) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width))
        self.cls_head = nn.Linear(width, classes)

    def forward(self, inputs: Tensor, labels: Tensor, mode: str = 'loss') -> Any:
        scores = self.cls_head(self.backbone(inputs))
        return {'loss': cross_entropy(scores, labels)}


class ToySet(Dataset):
    metainfo = {'classes': ('even', 'odd')}

    def __len__(self) -> int:
        return 16

    def __getitem__(self, index: int) -> dict[str, Any]:
        generator = torch.Generator().manual_seed(index)
        return {'inputs': torch.randn(3, generator=generator), 'labels': index % 2}


def toy_runner(
    work_dir: Path, epochs: int = 2, kind: type[Runner] | None = None, **changes: Any
) -> Runner:
    """A runner for ``epochs`` epochs of 4 iterations."""
    torch.manual_seed(0)
    options: dict[str, Any] = {
        'model': ToyNet(),
        'work_dir': str(work_dir),
        'train_dataloader': DataLoader(ToySet(), batch_size=4),
        'train_cfg': {'by_epoch': True, 'max_epochs': epochs},
        'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9}},
        'param_scheduler': {'type': 'MultiStepLR', 'milestones': [1]},
        'default_hooks': {'checkpoint': {'type': 'CheckpointHook', 'interval': 1}},
        # Runners of one name share their message hub.
        'experiment_name': uuid.uuid4().hex,
        'log_level': 'WARNING',
        'randomness': {'seed': 3},
    }
    return (kind or Runner)(**{**options, **changes})
