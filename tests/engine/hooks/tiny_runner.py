"""A runner that trains a tiny recognizer on a few clips."""

import uuid
from pathlib import Path
from typing import Any

import torch
from mmengine.dataset import pseudo_collate
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmkd.registry import MODELS
from tests.distill.tiny import clips, recognizer


class TinyClips(Dataset):
    metainfo: dict[str, Any] = {}

    def __init__(self) -> None:
        batch = clips(number=8)
        self.items = [
            {'inputs': clip, 'data_samples': sample}
            for clip, sample in zip(batch['inputs'], batch['data_samples'], strict=True)
        ]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.items[index]


def tiny_runner(
    folder: Path,
    *hooks: Hook,
    epochs: int = 2,
    model: nn.Module | None = None,
    checkpoint: dict[str, Any] | None = None,
    **options: Any,
) -> Runner:
    """A runner for epochs of 2 iterations of 4 clips, in a fixed order."""
    torch.manual_seed(0)
    model = model or MODELS.build(recognizer(dropout=0.0))
    saving = {'type': 'CheckpointHook', 'interval': 1, **(checkpoint or {})}
    settings: dict[str, Any] = {
        'model': model,
        'work_dir': str(folder),
        'train_dataloader': DataLoader(
            TinyClips(), batch_size=4, collate_fn=pseudo_collate
        ),
        'train_cfg': {'by_epoch': True, 'max_epochs': epochs},
        'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 0.05, 'momentum': 0.9}},
        'default_hooks': {'checkpoint': saving},
        'custom_hooks': list(hooks),
        # Runners of one name share their message hub.
        'experiment_name': uuid.uuid4().hex,
        'default_scope': 'mmaction',
        'log_level': 'WARNING',
        'randomness': {'seed': 3},
    }
    return Runner(**{**settings, **options})
