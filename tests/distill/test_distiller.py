"""The Distiller: plain checkpoints, plain training at weight 0, a teacher beside."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.runner import load_checkpoint
from torch import nn

from mmkd.distill import Distiller
from mmkd.engine.hooks.dataloader_state import batch_statistics
from mmkd.engine.load_weights import load_weights
from mmkd.errors import UserError
from mmkd.registry import MODELS
from tests.distill.tiny import (
    FEATURE,
    LOGITS,
    clips,
    distiller,
    pretrainer,
    recognizer,
    save,
    teacher,
)

CONNECTED = {**FEATURE, 'connector': {'type': 'mmkd.LinearConnector'}}
SGD = {'optimizer': {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9, 'weight_decay': 0.01}}


def train(
    model: nn.Module, steps: int = 3, views: int = 1, **options: Any
) -> list[dict[str, float]]:
    """Train as a runner does, and return what it would log."""
    torch.manual_seed(5)
    model.init_weights()
    optimizer = build_optim_wrapper(model, {**SGD, **options})
    model.train()
    logs = []
    for step in range(steps):
        torch.manual_seed(step)
        log = model.train_step(clips(step, views=views), optimizer)
        logs.append({k: v.item() for k, v in log.items()})
    return logs


def bare(seed: int = 0, config: dict[str, Any] | None = None) -> nn.Module:
    torch.manual_seed(seed)
    return MODELS.build(config or recognizer())


def test_its_checkpoint_is_the_students_own() -> None:
    model, student = distiller({'logits': LOGITS}), bare()
    assert list(model.state_dict()) == list(student.state_dict())
    bare_size = sum(v.numel() for v in student.state_dict().values())
    assert sum(v.numel() for v in model.state_dict().values()) == bare_size
    connected = distiller({'logits': LOGITS, 'feature': CONNECTED})
    extra = connected.state_dict().keys() - student.state_dict().keys()
    assert extra == {'connectors.feature.weight', 'connectors.feature.bias'}


def test_its_checkpoint_fits_the_bare_student_and_the_other_way_round() -> None:
    model, student = distiller({'feature': CONNECTED}, seed=1), bare(2)
    report = load_weights(student, model.state_dict())
    assert not report.missing and not report.mismatched
    assert {k.split('.')[0] for k in report.unused} == {'connectors'}
    data = clips()
    for network in (model, student):
        network.eval()
    found = [n.test_step(copy.deepcopy(data)) for n in (model, student)]
    for of_student, of_teacher in zip(*found, strict=True):
        assert torch.equal(of_student.pred_score, of_teacher.pred_score)
    back = load_weights(distiller(seed=3), student.state_dict())
    assert len(back.loaded) == len(student.state_dict()) and not back.missing


@pytest.mark.parametrize('connector', [None, {'type': 'mmkd.LinearConnector'}])
def test_weight_zero_is_plain_training_bit_for_bit(connector: Any) -> None:
    feature = {**FEATURE, 'connector': connector or {'type': 'mmkd.MLPConnector'}}
    losses = {'logits': {**LOGITS, 'weight': 0}, 'feature': {**feature, 'weight': 0}}
    model, student = distiller(losses), bare()
    assert train(model) == train(student)
    for name, value in student.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


def test_a_tiny_weight_starts_from_the_same_network_and_moves_it_otherwise() -> None:
    """Building teacher and connectors draws nothing from the student's numbers."""
    model, student = distiller({'feature': {**CONNECTED, 'weight': 5.0}}), bare()
    logs, plain = train(model, 1), train(student, 1)
    assert logs[0]['loss_cls'] == plain[0]['loss_cls']
    assert logs[0]['distill/loss_feature'] > 0
    total = logs[0]['loss_cls'] + logs[0]['distill/loss_feature']
    assert logs[0]['loss'] == pytest.approx(total)
    assert -1 < logs[0]['distill/agreement_feature'] < 1
    moved = model.state_dict()['backbone.conv1.conv.weight']
    assert not torch.equal(moved, student.state_dict()['backbone.conv1.conv.weight'])


@pytest.mark.parametrize('kind', ['SoftTargetKL', 'FeatureDistance', 'RelationalKD'])
def test_identical_teacher_and_student_in_eval_give_exactly_zero(
    tmp_path: Path, kind: str
) -> None:
    path = save(tmp_path / 'teacher.pth', recognizer())
    where = 'cls_head.fc_cls' if kind == 'SoftTargetKL' else 'backbone'
    term = {'student': where, 'pool': True, 'loss': {'type': f'mmkd.{kind}'}}
    model = distiller({'x': term}, teacher=teacher(recognizer(), checkpoint=path))
    state = torch.load(path, weights_only=True)['state_dict']
    model.load_state_dict(state, strict=True)
    data = model.eval().data_preprocessor(clips(), True)
    losses = model(**data, mode='loss')
    assert losses['distill/loss_x'].item() == 0
    assert losses['distill/agreement_x'].item() == pytest.approx(1)
    model.train()
    assert model(**data, mode='loss')['distill/loss_x'].item() > 0


def test_the_teacher_is_beside_the_model_not_in_it() -> None:
    model = distiller({'feature': CONNECTED})
    own = {id(p) for p in model.teacher.parameters()}
    assert own and not own & {id(p) for p in model.parameters()}
    optimizer = build_optim_wrapper(model, SGD)
    groups = optimizer.optimizer.param_groups
    assert not own & {id(p) for group in groups for p in group['params']}
    connector = model.connectors['feature'].weight
    assert any(p is connector for group in groups for p in group['params'])
    before, start = model.teacher.hash(), connector.detach().clone()
    train(model)
    assert model.teacher.hash() == before
    assert all(p.grad is None for p in model.teacher.parameters())
    assert not torch.equal(connector, start)
    assert not any(m.training for m in model.teacher.modules())
    # It comes to where the student is with the first batch.
    data = model.double().data_preprocessor(clips(), True)
    model(data['inputs'].double(), data['data_samples'], mode='loss')
    assert {p.dtype for p in model.teacher.parameters()} == {torch.float64}


def groups(model: nn.Module, **options: Any) -> list[dict[str, Any]]:
    """Return the groups of an optimiser, with names in place of parameters."""
    names = {id(value): k for k, value in model.state_dict(keep_vars=True).items()}
    wrapper = build_optim_wrapper(model, {**SGD, **options})
    return [
        {**group, 'params': [names[id(p)] for p in group['params']]}
        for group in wrapper.optimizer.param_groups
    ]


def test_optimisers_go_by_the_students_own_names() -> None:
    keys = {'backbone.layer1': {'lr_mult': 0.1}, 'cls_head': {'decay_mult': 0.0}}
    paramwise = {'custom_keys': keys, 'norm_decay_mult': 0.0}
    model, student = distiller(), bare()
    assert list(dict(model.named_parameters())) == list(
        dict(student.named_parameters())
    )
    assert batch_statistics(model).keys() == batch_statistics(student).keys()
    assert batch_statistics(model).keys() <= model.state_dict().keys()
    found = groups(model, paramwise_cfg=paramwise)
    assert found == groups(student, paramwise_cfg=paramwise)
    assert len({group['lr'] for group in found}) == 2


def test_layer_decay_finds_the_layers_of_the_student() -> None:
    backbone = {
        'type': 'VisionTransformer',
        'img_size': 16,
        'patch_size': 8,
        'embed_dims': 8,
        'depth': 2,
        'num_heads': 2,
        'mlp_ratio': 1,
        'num_frames': 4,
        'tubelet_size': 2,
    }
    head = {'type': 'TimeSformerHead', 'num_classes': 3, 'in_channels': 8}
    config = {**recognizer(), 'backbone': backbone, 'cls_head': head}
    options = {
        'constructor': 'LearningRateDecayOptimizerConstructor',
        'paramwise_cfg': {'num_layers': 2, 'decay_rate': 0.5},
    }
    found = groups(distiller(student=config), **options)
    assert found == groups(bare(config=config), **options)
    assert len({group['lr'] for group in found}) == 4


def test_what_does_not_fit_is_named_as_the_student_names_it(tmp_path: Path) -> None:
    model, student = distiller({'feature': CONNECTED}), bare(1)
    state = student.state_dict()
    state['cls_head.other'] = state.pop('cls_head.fc_cls.bias')
    for wrapped, prefix in ((model, ''), (nn.ModuleDict({'module': model}), 'module.')):
        given = {prefix + key: value for key, value in state.items()}
        result = wrapped.load_state_dict(given, strict=False)
        assert result.unexpected_keys == [f'{prefix}cls_head.other']
        assert set(result.missing_keys) == {
            f'{prefix}{name}'
            for name in (
                'cls_head.fc_cls.bias',
                'connectors.feature.weight',
                'connectors.feature.bias',
            )
        }
        first = next(iter(wrapped.state_dict()))
        assert first == f'{prefix}backbone.conv1.conv.weight'
    given = {f'old.{key}': value for key, value in student.state_dict().items()}
    torch.save({'state_dict': given}, tmp_path / 'old.pth')
    load_checkpoint(
        model, str(tmp_path / 'old.pth'), revise_keys=[(r'^old\.', '')], strict=False
    )
    for name, value in student.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


def test_modes_of_the_student_are_its_own() -> None:
    model = distiller()
    head = model.student.cls_head
    assert model.train().student.training and head.dropout.training
    assert not model.eval().student.training and not head.dropout.training
    with pytest.raises(AttributeError):
        _ = model.nothing_of_this_name


def test_a_copy_is_complete_and_apart() -> None:
    model = distiller({'feature': CONNECTED})
    twin = copy.deepcopy(model)
    data = model.eval().data_preprocessor(clips(), True)
    expected = model(**data, mode='loss')
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    found = twin.eval()(**data, mode='loss')
    assert found['distill/loss_feature'] == expected['distill/loss_feature']
    assert twin.distillation.student is twin.student is not model.student
    assert twin.backbone is twin.student.backbone


def test_without_a_teacher_it_is_the_student() -> None:
    model, student = distiller(teacher=None), bare()
    assert train(model) == train(student)
    assert not [k for k in model.state_dict() if k.startswith('distill')]


def test_each_network_gets_its_own_pixels_and_frames() -> None:
    model = distiller(
        teacher=teacher(recognizer(convention='bgr255'), frames=4, size=(12, 12)),
        student_frames=2,
    )
    raw = torch.stack(clips()['inputs']).float()
    shapes = []
    seen: dict[str, torch.Tensor] = {}
    for name, backbone in (
        ('student', model.backbone),
        ('teacher', model.teacher.model.backbone),
    ):
        backbone.register_forward_pre_hook(
            lambda module, inputs, name=name: seen.update({name: inputs[0]})
        )
    train(model, 1)
    shapes = [tuple(seen[name].shape) for name in ('student', 'teacher')]
    assert shapes == [(4, 3, 2, 16, 16), (4, 3, 4, 12, 12)]
    assert seen['teacher'].max() > 100 and seen['student'].max() < 5
    assert model.data_preprocessor.convention.name == 'imagenet'
    assert raw.max() == 255
    # A test sees what the pipeline gives.
    model.eval().test_step(clips())
    assert seen['student'].shape == (4, 3, 4, 16, 16)


def test_mixed_clips_are_shared_or_refused() -> None:
    student = recognizer()
    mixing = {'type': 'MixupBlending', 'num_classes': 3}
    student['data_preprocessor'] = {**student['data_preprocessor'], 'blending': mixing}
    assert distiller(student=student).data_preprocessor.blending is not None
    with pytest.raises(UserError, match='mixes clips'):
        distiller(student=student, teacher=teacher(recognizer(convention='rgb01')))


def test_pretext_networks_see_the_same_views_in_the_same_order() -> None:
    """PCL with a teacher of another width: three calls of the backbone, one term."""
    term = {
        'student': 'tasks.vcp.classifier',
        'loss': {'type': 'mmkd.SoftTargetKL'},
    }
    other = teacher(pretrainer(width=2), tasks=['vcp'])
    options = {'student': pretrainer(), 'teacher': other}
    losses = {'logits': term, 'feature': CONNECTED}
    model = distiller(losses, **options)
    for task in (model.student.tasks['contrast'],):
        for bank in task.banks:
            bank.resize(4)
    assert list(model.teacher.model.tasks) == ['vcp']
    assert model.connectors['feature'].weight.shape == (16, 32)
    seen: dict[str, list[torch.Tensor]] = {'student': [], 'teacher': []}
    for name, backbone in (
        ('student', model.backbone),
        ('teacher', model.teacher.model.backbone),
    ):
        backbone.register_forward_pre_hook(
            lambda module, inputs, name=name: seen[name].append(inputs[0])
        )
    logs = train(model, 1, views=3)
    assert {'distill/loss_logits', 'distill/loss_feature', 'vcp/loss'} <= set(logs[0])
    assert len(seen['student']) == len(seen['teacher']) == 3
    for of_student, of_teacher in zip(seen['student'], seen['teacher'], strict=True):
        assert torch.equal(of_student, of_teacher)
    assert not torch.equal(seen['student'][0], seen['student'][1])


def test_similarities_to_a_memory_of_the_teachers_embeddings(tmp_path: Path) -> None:
    """The option of KD-boosted PCL; the teacher's banks have the checkpoint's size."""
    torch.manual_seed(1)
    network = MODELS.build(pretrainer())
    for bank in network.tasks['contrast'].banks:
        bank.resize(4)
    path = tmp_path / 'teacher.pth'
    torch.save({'state_dict': network.state_dict()}, path)
    queue = {'type': 'mmkd.QueueSimilarity', 'channels': 128, 'queue_size': 16}
    term = {'student': 'tasks.contrast.projector', 'loss': queue}
    model = distiller(
        {'similarity': term},
        student=pretrainer(),
        teacher=teacher(pretrainer(), checkpoint=str(path)),
    )
    for bank in model.student.tasks['contrast'].banks:
        bank.resize(4)
    data = model.eval().data_preprocessor(clips(views=3), True)
    model.load_state_dict(network.state_dict(), strict=False)
    assert model(**data, mode='loss')['distill/loss_similarity'].item() == 0
    train(model, 1, views=3)
    memory = model.state_dict()['distill_losses.similarity.queue.features']
    raw = model.data_preprocessor(clips(0, views=3), True)
    where = ['tasks.contrast.projector']
    embeddings = model.teacher(raw['inputs'], where, raw['data_samples'])
    expected = nn.functional.normalize(embeddings['tasks.contrast.projector'])
    torch.testing.assert_close(memory[:8], expected)


def test_similarities_to_the_bank_in_the_teachers_checkpoint(tmp_path: Path) -> None:
    """The other option of KD-boosted PCL; PCL's two views are compared at once."""
    torch.manual_seed(1)
    network = MODELS.build(pretrainer())
    for bank in network.tasks['contrast'].banks:
        bank.resize(4)
    path = str(tmp_path / 'teacher.pth')
    torch.save({'state_dict': network.state_dict()}, path)
    loss = {'type': 'mmkd.BankSimilarity', 'checkpoint': path}
    model = distiller(
        {'similarity': {'student': 'tasks.contrast.projector', 'loss': loss}},
        student=pretrainer(),
        teacher=teacher(pretrainer(), checkpoint=path),
    )
    for bank in model.student.tasks['contrast'].banks:
        bank.resize(4)
    kept = model.distill_losses['similarity'].features
    assert torch.equal(kept, network.tasks['contrast'].banks[0].features)
    data = model.eval().data_preprocessor(clips(views=3), True)
    assert model(**data, mode='loss')['distill/loss_similarity'].item() > 0
    model.load_state_dict(network.state_dict())
    assert model(**data, mode='loss')['distill/loss_similarity'].item() == 0


def test_autocast_leaves_the_students_gradient_alone() -> None:
    """A twin of the student runs first without gradient; its casts must not count."""
    student = pretrainer()
    del student['tasks']['contrast']
    grads = []
    for weight in (1e-30, 0.0):
        term = {**FEATURE, 'weight': weight}
        model = distiller({'x': term}, student=student, teacher=teacher(student))
        with torch.autocast('cpu', torch.bfloat16):
            # Not 2 frames at any stage: torch errs there in bfloat16 on the CPU.
            data = model.data_preprocessor(clips(frames=8, views=3), True)
            losses = model(**data, mode='loss')
        sum(v for k, v in losses.items() if 'loss' in k).backward()
        grads.append([p.grad for p in model.backbone.parameters()])
    for with_teacher, without in zip(*grads, strict=True):
        torch.testing.assert_close(with_teacher, without)


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    'path of the student': (
        {'losses': {'x': {**LOGITS, 'student': 'cls_head.fc'}}},
        r"the student has no module 'cls_head.fc'; cls_head has: .*fc_cls",
    ),
    'path of the teacher': (
        {'losses': {'x': {**LOGITS, 'teacher': 'head.fc_cls'}}},
        r"the teacher has no module 'head.fc_cls'; it has: .*backbone, cls_head",
    ),
    'classes': (
        {'teacher': teacher(recognizer(classes=5))},
        r"'logits': 'cls_head.fc_cls' of the student gives \(2, 3\).*teacher \(2, 5\)",
    ),
    'widths': (
        {'losses': {'x': FEATURE}},
        r"'backbone' of the student gives \(2, 32\).*\(2, 16\).*connector=dict",
    ),
    'vectors for maps': (
        {'losses': {'x': {**CONNECTED, 'pool': False}}},
        r'gives \(2, 32, 4, 2, 2\).*cannot be multiplied',
    ),
    'given widths': (
        {
            'losses': {
                'x': {
                    **FEATURE,
                    'connector': {'type': 'mmkd.LinearConnector', 'in_channels': 7},
                }
            }
        },
        r"'backbone' of the student gives \(2, 32\).*shapes cannot be multiplied",
    ),
    'argument of a term': (
        {'losses': {'x': {**LOGITS, 'wieght': 1}}},
        r"'x' has no argument 'wieght'. It takes: student, teacher, pool, connector, ",
    ),
    'no loss': ({'losses': {'x': {'student': 'backbone'}}}, r"'x' needs 'loss'"),
    'no terms': ({'losses': {}}, 'has no losses'),
}


@pytest.mark.parametrize('case', MISTAKES)
def test_mistakes_are_found_when_it_is_built(case: str) -> None:
    changes, message = MISTAKES[case]
    with pytest.raises(UserError, match=message):
        distiller(**changes)


def test_where_the_example_cannot_run_the_first_batch_tells() -> None:
    """A head for one size of clip: black clips of another size tell nothing."""
    student = recognizer()
    head = {**student['cls_head'], 'spatial_type': None, 'in_channels': 64}
    student['cls_head'] = head
    model = distiller({'x': FEATURE}, student=student)
    with pytest.raises(UserError, match=r'gives \(4, 32\).*teacher \(4, 16\)'):
        train(model, 1)
    with pytest.raises(UserError, match=r'gives \(2, 32\).*teacher \(2, 16\)'):
        distiller({'x': FEATURE}, student=student, example_size=(4, 16, 16))


def test_building_it_leaves_no_trace() -> None:
    torch.manual_seed(0)
    student = MODELS.build(recognizer())
    state = torch.get_rng_state()
    model = distiller({'feature': CONNECTED})
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in student.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name
    assert isinstance(model, Distiller) and model.training


def test_the_input_at_the_top_of_a_config_is_not_its_own() -> None:
    own = {'type': 'mmkd.ClipPreprocessor', 'convention': 'imagenet'}
    with pytest.raises(UserError, match='write data_preprocessor = None at the top'):
        distiller(data_preprocessor=own)
