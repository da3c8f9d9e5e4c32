import pytest
import torch
from torch import nn

from mmkd.models.heads import at_least_float32, full_precision
from mmkd.registry import MODELS
from tests.golden_step import samples


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_at_least_float32(given, expected):
    assert at_least_float32(torch.ones(2, dtype=given)).dtype == expected


def test_autocast_is_off_inside():
    layer, x = nn.Linear(2, 2), torch.ones(1, 2)
    with torch.autocast('cpu', torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
        with full_precision(x):
            assert layer(x).dtype == torch.float32
        assert layer(x).dtype == torch.bfloat16


def test_networks_compute_in_bf16_heads_and_losses_in_float32():
    torch.manual_seed(0)
    blocks = (1, 1, 1, 1, 1)
    model = MODELS.build(
        {
            'type': 'mmkd.Pretrainer',
            'backbone': {
                'type': 'mmkd.C3D',
                'base_channels': 4,
                'stage_blocks': blocks,
            },
            'tasks': {
                'skd': {'type': 'mmkd.SimilarityDistill', 'queue_size': 8},
                'vspp': {'type': 'mmkd.SegmentPace'},
            },
            'teachers': {'momentum': {'type': 'mmkd.MomentumTeacher'}},
        }
    )
    model.train()
    kinds: dict[str, set[torch.dtype]] = {}
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Linear | nn.Conv3d):
            layer.register_forward_hook(
                lambda _, x, y, name=name: kinds.setdefault(
                    name.split('.')[-2], set()
                ).add(y.dtype)
            )
    labels = samples({'speed': [0, 3], 'segment': [1, 2]})
    with torch.autocast('cpu', torch.bfloat16):
        losses = model.loss(torch.randn(2, 2, 3, 8, 16, 16), labels)
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    assert all(value.dtype == torch.float32 for value in losses.values())
    convolutions = {name for name in kinds if name.startswith('conv')}
    assert len(convolutions) == 5
    for name, dtypes in kinds.items():
        expected = torch.bfloat16 if name in convolutions else torch.float32
        assert dtypes == {expected}, name
    assert all(
        p.grad is not None and p.grad.dtype == torch.float32
        for p in model.parameters()
        if p.requires_grad
    )
