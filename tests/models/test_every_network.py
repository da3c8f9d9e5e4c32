"""Every network trains in a method, and fine-tunes and tests in a stock recognizer."""

import pytest
import torch
from mmengine.config import Config

from mmkd.models.heads import output_width
from mmkd.registry import MODELS
from mmkd.zoo.base_networks import model_configs
from tests.golden_step import samples

NETWORKS = sorted(path.stem for path in model_configs().glob('*.py'))
CLIPS = (2, 2, 3, 16, 32, 32)


def config(network: str) -> Config:
    return Config.fromfile(model_configs() / f'{network}.py')


@pytest.mark.parametrize('network', NETWORKS)
def test_the_config_says_its_width(network: str) -> None:
    cfg = config(network)
    assert output_width(MODELS.build(cfg.model.backbone)) == cfg.feature_channels


@pytest.mark.slow
@pytest.mark.parametrize('network', NETWORKS)
def test_student_and_teacher(network: str) -> None:
    torch.manual_seed(0)
    model = MODELS.build(
        {
            'type': 'mmkd.Pretrainer',
            'backbone': config(network).model.backbone,
            'tasks': {
                'skd': {'type': 'mmkd.SimilarityDistill', 'queue_size': 8},
                'vspp': {'type': 'mmkd.SegmentPace'},
            },
            'teachers': {'momentum': {'type': 'mmkd.MomentumTeacher'}},
        }
    )
    model.init_weights()
    model.train()
    labels = samples({'speed': [0, 3], 'segment': [1, 2]})
    losses = model(torch.randn(CLIPS), labels, mode='loss')
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    for name, parameter in model.backbone.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
    assert all(p.grad is None for p in model.teachers.parameters())


@pytest.mark.slow
@pytest.mark.parametrize('network', NETWORKS)
def test_a_stock_recognizer_learns_two_clips(network: str) -> None:
    torch.manual_seed(0)
    cfg = config(network)
    head = {
        'type': 'I3DHead',
        'num_classes': 3,
        'in_channels': cfg.feature_channels,
        'dropout_ratio': 0.0,
        'average_clips': 'score',
    }
    model = MODELS.build(
        {
            'type': 'Recognizer3D',
            'backbone': cfg.model.backbone,
            'cls_head': head,
        }
    )
    model.init_weights()
    clips, labels = torch.randn(CLIPS)[:, :1], samples({'speed': [0, 0]})
    for sample, label in zip(labels, (0, 2), strict=True):
        sample.set_gt_label(label)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    history = []
    for _ in range(4):
        model.train()
        loss = model(clips, labels, mode='loss')['loss_cls']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert history[-1] < history[0]
    model.train(False)
    with torch.inference_mode():
        found = model(clips, labels, mode='predict')
    assert [sample.pred_score.shape for sample in found] == [(3,), (3,)]
