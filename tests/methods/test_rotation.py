"""3DRotNet's rotations: the whole path from a turned clip to its loss."""

import math
import random

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from torch import nn

from mmkd.registry import MODELS
from tests.datasets.views import behind_decoding
from tests.shared_files import ROOT


def tiny() -> Config:
    return Config.fromfile(ROOT / 'configs/tiny/rotation_r3d_synthetic.py')


def turned(count: int) -> dict[str, list]:
    """Return clips of noise that is bright on top, through the shipped transforms."""
    cfg, rng = tiny(), np.random.default_rng(0)
    transforms = Compose(behind_decoding(cfg.train_dataloader.dataset))
    items = []
    for _ in range(count):
        image = rng.integers(0, 80, (80, 90, 3), dtype=np.uint8)
        image[:20] += 150
        sample = {'imgs': [image] * 4, 'clip_len': 4, 'num_clips': 1}
        items.append(transforms({**sample, 'img_shape': (80, 90), 'label': -1}))
    return pseudo_collate(items)


def test_a_new_head_has_the_loss_of_chance() -> None:
    random.seed(0)
    torch.manual_seed(0)
    model = MODELS.build(tiny().model)
    data = model.data_preprocessor(turned(16), training=True)
    losses = model(**data, mode='loss')
    assert set(losses) == {'rotation/loss', 'rotation/acc', 'rotation/chance'}
    assert losses['rotation/loss'].item() == pytest.approx(math.log(4), rel=0.15)


def test_the_label_says_where_the_top_went() -> None:
    random.seed(1)
    np.random.seed(1)
    data = turned(24)
    labels = [int(s.view_labels.rotation) for s in data['data_samples']]
    for clip, turns in zip(data['inputs'], labels, strict=True):
        frame = clip[0, 0, 0].float()
        edges = [frame[0].mean(), frame[:, 0].mean(), frame[-1].mean()]
        edges.append(frame[:, -1].mean())
        # counter-clockwise: the top goes to the left, to the bottom, to the right
        assert int(torch.stack(edges).argmax()) == turns
    assert set(labels) == {0, 1, 2, 3}


def test_the_head_learns_what_the_label_says() -> None:
    """A network that reports its four edges is right after a few steps."""
    random.seed(2)
    np.random.seed(2)
    torch.manual_seed(2)
    model = MODELS.build(tiny().model)

    class Edges(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            sides = [x[..., 0, :], x[..., 0], x[..., -1, :], x[..., -1]]
            edges = torch.stack([side.mean((1, 2, 3)) for side in sides], dim=1)
            return nn.functional.pad(edges, (0, 124))[..., None, None, None]

    model.backbone = Edges()
    optimizer = torch.optim.SGD(model.parameters(), lr=2.0)
    data = model.data_preprocessor(turned(32), training=True)
    for _ in range(100):
        losses = model(**data, mode='loss')
        optimizer.zero_grad()
        losses['rotation/loss'].backward()
        optimizer.step()
    assert losses['rotation/acc'] == 1
