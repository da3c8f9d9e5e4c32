"""A run that takes half a second: random draws everywhere, and a save at every turn."""

import os
import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from mmkd.engine.runner import ResumableRunner
from mmkd.last_checkpoint import latest_checkpoint
from tests.engine.toy import ToyNet, ToySet

EPOCHS, STEPS = 4, 4


class NoisySet(ToySet):
    """Samples with draws of every generator that a pipeline may use."""

    def __getitem__(self, index: int) -> dict[str, Any]:
        sample = super().__getitem__(index)
        noise = random.random() + np.random.rand() + torch.rand(3)
        return {**sample, 'inputs': sample['inputs'] + noise}


class NoisyNet(ToyNet):
    """A network with dropout, a momentum, and ballast that makes a save last."""

    ballast: Tensor

    def __init__(self, ballast: int = 500_000) -> None:
        super().__init__()
        self.register_buffer('ballast', torch.zeros(ballast))
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, inputs: Tensor, labels: Tensor, mode: str = 'loss') -> Any:
        self.ballast += 1
        return super().forward(dropout(inputs * self.scale, 0.3), labels, mode)


class ReportingRunner(ResumableRunner):
    """Tells somebody when a save begins and when it is over."""

    report: Callable[[str], None] = staticmethod(lambda text: None)

    def save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        """Save as always."""
        self.report('save')
        super().save_checkpoint(*args, **kwargs)
        self.report(f'saved {self.iter + 1}')


def toy_run(
    work_dir: Path, report: Callable[[str], None], **changes: Any
) -> ReportingRunner:
    """Return the runner of 4 epochs of 4 steps, saved every second step."""
    torch.manual_seed(0)
    loader = {
        'dataset': {'type': NoisySet},
        'sampler': {'type': 'DefaultSampler', 'shuffle': True},
        'batch_size': 4,
        'num_workers': 0,
        'collate_fn': {'type': 'default_collate'},
    }
    checkpoint = {'type': 'CheckpointHook', 'by_epoch': False, 'interval': 2}
    source = latest_checkpoint(str(work_dir))
    options: dict[str, Any] = {
        'model': NoisyNet(),
        'work_dir': str(work_dir),
        'train_dataloader': loader,
        'train_cfg': {'by_epoch': True, 'max_epochs': EPOCHS},
        'optim_wrapper': {'optimizer': {'type': 'Adam', 'lr': 0.01}},
        'param_scheduler': {'type': 'CosineAnnealingLR', 'T_max': EPOCHS},
        'default_hooks': {'checkpoint': {**checkpoint, 'max_keep_ckpts': 1}},
        'custom_hooks': [
            {'type': 'mmkd.DataloaderStateHook'},
            {'type': 'mmkd.ResumeScheduleHook'},
            {'type': 'mmkd.NonFiniteHook'},
            {'type': 'mmkd.PreemptionHook'},
        ],
        'load_from': source,
        'resume': source is not None,
        'randomness': {'seed': 5},
        'experiment_name': f'{os.getpid()}{uuid.uuid4().hex}',
        'log_level': 'WARNING',
    }
    runner = ReportingRunner(**{**options, **changes})
    runner.report = report
    return runner
