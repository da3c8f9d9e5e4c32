"""The configs of RSPNet and of its fine-tuning say what the facts say."""

import pytest
import torch
from mmengine.config import Config

from mmkd.engine.load_weights import load_weights
from mmkd.models import Pretrainer
from mmkd.registry import MODELS
from tests.configs.test_configs import CONFIGS, _sgd, learning_rates, name
from tests.shared_files import ROOT

NETS = ('c3d', 'r3d', 'r2plus1d', 'resnet18', 's3dg')


def read(path: str) -> Config:
    return Config.fromfile(ROOT / f'configs/{path}.py')


def test_the_grid_is_complete() -> None:
    data = ('ucf101', 'k100', 'k400')
    expected = {f'rspnet/{net}_{x}' for net in NETS for x in data}
    expected |= {f'rspnet/{net}_k100_auxskd' for net in ('c3d', 'r3d', 'r2plus1d')}
    expected |= {'rspnet/r3d_k100_joint'}
    expected |= {f'tiny/rspnet_r3d_{x}' for x in ('synthetic', 'ut_interaction')}
    networks = ('resnet18_{}', 's3dg_{}', 'c3d_{}_rspnet')
    expected |= {
        f'finetune/{net.format(x)}' for net in networks for x in ('ucf101', 'hmdb51')
    }
    assert expected <= {name(path) for path in CONFIGS}


@pytest.mark.parametrize(
    ('net', 'batch', 'on_four_gpus'),
    [
        ('c3d', 32, 0.2),
        ('resnet18', 64, 0.4),
        ('r2plus1d', 32, 0.1),
        ('s3dg', 64, 0.2),
    ],
)
def test_the_released_learning_rates(net: str, batch: int, on_four_gpus: float) -> None:
    cfg = read(f'rspnet/{net}_k400')
    assert cfg.train_dataloader.batch_size == batch
    # What --auto-scale-lr multiplies by on four processes.
    factor = 4 * batch / cfg.auto_scale_lr.base_batch_size
    lr = cfg.optim_wrapper.optimizer.lr
    assert lr * factor == pytest.approx(on_four_gpus)
    assert _sgd(cfg) == {'lr': lr, 'momentum': 0.9, 'weight_decay': 1e-4}
    rates = learning_rates(cfg)
    assert len(rates) == 200
    assert rates[0] == pytest.approx(lr)
    assert rates[100] == pytest.approx(lr * (1 + 0.001) / 2)
    assert lr / 1000 < rates[-1] < 1.1 * lr / 1000


def test_tasks_and_teacher_have_the_released_values() -> None:
    cfg = read('rspnet/resnet18_k400').model
    cfg.backbone.base_channels = 4
    model = MODELS.build(cfg)
    avid, rsp = model.tasks['avid'], model.tasks['rsp']
    assert (avid.queue.size, avid.temperature) == (16384, 0.07)
    assert (avid.views, avid.teacher_views, avid.queue_view) == ((0,), (1, 2), 2)
    assert (rsp.margin, rsp.temperature) == (2.0, 0.07)
    assert (rsp.views, rsp.teacher_views) == ((0,), (1, 2))
    assert avid.projector.layers[-1].out_features == 128
    assert model.teachers['momentum'].momentum == 0.999
    assert model.teachers['momentum'].shuffle
    assert not model.joint_views


def test_s3dg_has_224_pixels_and_its_siblings_112() -> None:
    for net in NETS:
        augment = read(f'rspnet/{net}_k400').train_dataloader.dataset.augment
        size = 224 if net == 's3dg' else 112
        assert augment.resize.scale == (size, size)
        assert augment.groups == ((0,), (1, 2))


def small(path: str) -> Pretrainer:
    cfg = read(path).model
    cfg.backbone.base_channels = 4
    for task in cfg.tasks.values():
        if task.type != 'mmkd.RelativeSpeed':
            task.queue_size = 8
    return MODELS.build(cfg).train()


def test_after_auxskd_the_teacher_is_a_copy_of_the_student() -> None:
    torch.manual_seed(0)
    source, model = small('auxskd/r3d_k100'), small('rspnet/r3d_k100_auxskd')
    source(torch.randn(2, 2, 3, 8, 32, 32), mode='loss')
    assert source.teachers['momentum'].steps == 1
    with torch.no_grad():
        source.teachers['momentum'].backbone.conv1.conv.weight.add_(1)
    report = load_weights(model, source.state_dict())
    assert not [k for k in report.missing if k.startswith('backbone.')]
    student = {k: v.clone() for k, v in model.state_dict().items()}
    model(torch.randn(2, 3, 3, 8, 32, 32), mode='loss')
    teacher = model.teachers['momentum']
    for key, value in teacher.backbone.named_parameters():
        assert torch.equal(value, student[f'backbone.{key}']), key
    for key, value in teacher.heads.named_parameters():
        task, rest = key.split('.', 1)
        assert torch.equal(value, student[f'tasks.{task}.projector.{rest}']), key


def test_the_joint_form_adds_one_loss_and_no_encoding() -> None:
    torch.manual_seed(0)
    model = small('rspnet/r3d_k100_joint')
    teacher, calls = model.teachers['momentum'], []
    model.backbone.register_forward_hook(lambda *_: calls.append('student'))
    teacher.backbone.register_forward_hook(lambda *_: calls.append('teacher'))
    losses = model(torch.randn(2, 3, 3, 8, 32, 32), mode='loss')
    assert {k for k in losses if 'loss' in k} == {
        'avid/loss_1',
        'avid/loss_2',
        'rsp/loss',
        'skd/loss',
    }
    assert calls == ['student', 'teacher', 'teacher']


FINETUNE = {
    # batch of both GPUs, learning rate, epochs, rate in the last epoch, clip, clips
    'resnet18_ucf101': (64, 0.1, 30, 'cosine', (16, 112), 10),
    'resnet18_hmdb51': (128, 0.01, 30, 'steps', (16, 112), 3),
    'c3d_ucf101_rspnet': (40, 0.005, 30, 'cosine', (16, 112), 10),
    'c3d_hmdb51_rspnet': (12, 0.005, 100, 'steps', (16, 112), 10),
    's3dg_ucf101': (8, 0.005, 50, 'cosine', (64, 224), 10),
    's3dg_hmdb51': (8, 0.005, 50, 'cosine', (64, 224), 10),
}


def rate_by_hand(schedule: str, lr: float, epoch: int, epochs: int) -> float:
    if schedule == 'steps':
        return lr * 0.1 ** sum(epoch >= milestone for milestone in (50, 70, 90))
    turn = torch.tensor(torch.pi * epoch / epochs).cos().item()
    return lr / 1000 + (lr - lr / 1000) * (1 + turn) / 2


@pytest.mark.parametrize('config', FINETUNE)
def test_fine_tuning_has_the_values_of_the_network(config: str) -> None:
    batch, lr, epochs, schedule, (frames, pixels), clips = FINETUNE[config]
    cfg = read(f'finetune/{config}')
    assert cfg.train_dataloader.batch_size == batch
    assert cfg.auto_scale_lr.base_batch_size == batch
    expected = [rate_by_hand(schedule, lr, e, epochs) for e in range(epochs)]
    assert learning_rates(cfg) == pytest.approx(expected, rel=1e-5)
    assert _sgd(cfg) == {'lr': lr, 'momentum': 0.9, 'weight_decay': 1e-4}
    train = cfg.train_dataloader.dataset.pipeline
    test = cfg.test_dataloader.dataset.pipeline
    assert train[1].clip_len == test[1].clip_len == frames
    assert test[1].num_clips == clips
    assert train[4].scale == (pixels, pixels)
    assert (test[3].scale, test[4].crop_size) == ((-1, pixels), pixels)
    assert cfg.model.cls_head.num_classes == (101 if 'ucf101' in config else 51)
