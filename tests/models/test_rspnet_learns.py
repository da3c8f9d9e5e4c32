"""RSPNet learns what it is made for: to tell speeds, and videos, apart."""

import random

import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch import Tensor

from mmkd.methods.rspnet import RelativeSpeedViews
from mmkd.registry import MODELS
from tests.shared_files import ROOT

VIDEOS, BATCH, STEPS = 240, 16, 240


def grating(seed: int, frames: int = 64, size: int = 16) -> np.ndarray:
    """Return a coloured grating ``(T, size, size, 3)`` that drifts at one speed."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size]
    angle, width, phase = rng.uniform((0, 0.4, 0), (6.28, 0.9, 6.28))
    phases = width * (np.cos(angle) * columns + np.sin(angle) * rows) + phase
    wave = np.sin(phases + 0.6 * np.arange(frames)[:, None, None])
    return wave[..., None] * rng.uniform(1, 2, 3)


def batches(steps: int) -> list[Tensor]:
    videos = [grating(seed) for seed in range(VIDEOS)]
    sampler = RelativeSpeedViews()
    result = []
    for _ in range(steps):
        clips = []
        for video in random.sample(videos, BATCH):
            frames, _ = sampler.sample(len(video))
            clips.append(np.stack([video[view] for view in frames]))
        result.append(torch.tensor(np.stack(clips)).float().permute(0, 1, 5, 2, 3, 4))
    return result


@pytest.mark.slow
def test_on_drifting_gratings() -> None:
    random.seed(0)
    torch.manual_seed(0)
    cfg = Config.fromfile(ROOT / 'configs/tiny/rspnet_r3d_synthetic.py').model
    model = MODELS.build(cfg).train()
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trainable, lr=0.02, momentum=0.9)
    history: list[dict[str, float]] = []
    for clips in batches(STEPS):
        losses = model(clips, mode='loss')
        optimizer.zero_grad()
        sum(v for k, v in losses.items() if 'loss' in k).backward()
        optimizer.step()
        history.append({k: v.item() for k, v in losses.items()})

    def mean(name: str, part: slice) -> float:
        return float(np.mean([step[name] for step in history[part]]))

    start, end = slice(0, 10), slice(-20, None)
    # Equal similarities cost the margin, 2.
    assert mean('rsp/loss', start) == pytest.approx(2, abs=0.25)
    assert mean('rsp/loss', end) < 1
    assert mean('rsp/acc', end) > 0.85
    # By chance the positive would be nearest in one of 97 cases.
    assert mean('avid/acc_1', end) > 0.2
