"""The wrapper of tasks and teachers; phase 1 to phase 2; a stock recognizer."""

import pytest
import torch
from mmengine.config import Config
from torch import nn

from mmkd.engine.load_weights import load_weights
from mmkd.errors import UserError
from mmkd.models import Pretrainer
from mmkd.registry import MODELS
from tests.golden import load_golden
from tests.golden_step import load_by_table, samples
from tests.methods import test_auxskd
from tests.methods.vspp import test_task as test_segment_pace
from tests.shared_files import ROOT

TINY = Config.fromfile(ROOT / 'configs/tiny/auxskd_r3d_synthetic.py').model


def tiny(**changes: object) -> Pretrainer:
    return MODELS.build({**TINY.to_dict(), **changes})


def official_phase_one() -> Pretrainer:
    golden = load_golden('auxskd_step_r21d')
    model = test_auxskd.build(queue_size=16)
    state = test_auxskd.with_official_queue(golden.state_dict())
    load_by_table(model, state, test_auxskd.PREFIXES)
    return model


def test_phase_two_starts_from_the_student_of_phase_one() -> None:
    golden = load_golden('vspp_from_auxskd')
    model = test_segment_pace.build()
    table = load_by_table(model, golden.state_dict(), test_segment_pace.PREFIXES)
    report = load_weights(model, official_phase_one().state_dict())
    assert len([k for k in report.loaded if k.startswith('backbone.')]) == 144
    assert sorted(report.missing) == sorted(
        table[k] for k in golden.spec['kept_from_vspp_network']
    )
    assert not report.mismatched
    features = model.eval().extract_feat(golden.inputs('x')[:, None])[:, 0]
    classifiers = model.tasks['vspp'].classifiers
    golden.check('speed_logits', classifiers['speed'](features))
    golden.check('segment_logits', classifiers['segment'](features))


@pytest.mark.parametrize('net', ['r3d', 'r2plus1d', 'c3d'])
def test_a_stock_recognizer_takes_every_backbone_tensor(net: str) -> None:
    torch.manual_seed(0)
    source = test_auxskd.build(net, queue_size=8)
    cfg = Config.fromfile(ROOT / f'configs/finetune/{net}_ucf101.py')
    recognizer = MODELS.build(cfg.model)
    load_weights(recognizer, source.state_dict())
    loaded, given = recognizer.backbone.state_dict(), source.backbone.state_dict()
    assert loaded.keys() == given.keys()
    assert all(torch.equal(loaded[k], given[k]) for k in given)


def test_the_joint_form_trains_both_tasks_on_one_encoding() -> None:
    tasks = {
        'skd': {'type': 'mmkd.SimilarityDistill', 'queue_size': 8},
        'vspp': {'type': 'mmkd.SegmentPace', 'loss_weight': 0.5},
    }
    model = tiny(tasks=tasks).train()
    calls = []
    model.backbone.register_forward_hook(lambda m, i, o: calls.append(len(i[0])))
    clips = torch.randn(3, 2, 3, 8, 32, 32)
    labels = samples({'speed': [0, 1, 2], 'segment': [3, 2, 1]})
    torch.manual_seed(0)
    losses = model(clips, labels, mode='loss')
    assert calls == [3]
    assert set(losses) == {
        'skd/loss',
        'skd/agreement',
        'skd/gain',
        *(
            f'vspp/{k}_{n}'
            for k in ('loss', 'acc', 'chance')
            for n in ('speed', 'segment')
        ),
    }
    model.tasks['vspp'].loss_weight = 1.0
    model.backbone.eval()
    unweighted = model(clips, labels, mode='loss')['vspp/loss_speed']
    model.tasks['vspp'].loss_weight = 0.5
    halved = model(clips, labels, mode='loss')['vspp/loss_speed']
    torch.testing.assert_close(halved, unweighted / 2)


@pytest.mark.parametrize(('joint', 'calls'), [(True, [4]), (False, [2, 2])])
def test_views_are_encoded_in_one_call_or_one_by_one(
    joint: bool, calls: list[int]
) -> None:
    tasks = {
        'first': {'type': 'mmkd.SegmentPace', 'views': [0]},
        'second': {'type': 'mmkd.SegmentPace', 'views': [1]},
    }
    model = tiny(tasks=tasks, teachers=None, joint_views=joint).eval()
    seen = []
    model.backbone.register_forward_hook(lambda m, i, o: seen.append(len(i[0])))
    clips = torch.randn(2, 2, 3, 8, 32, 32)
    labels = samples({'speed': [0, 1], 'segment': [1, 2]})
    for sample in labels:
        sample.view_labels.speed = sample.view_labels.speed.repeat(2)
        sample.view_labels.segment = sample.view_labels.segment.repeat(2)
    losses = model(clips, labels, mode='loss')
    assert seen == calls
    alone = model.tasks['second'].classifiers['speed'](
        model.extract_feat(clips[:, 1:])[:, 0]
    )
    expected = nn.functional.cross_entropy(alone, torch.tensor([0, 1]))
    torch.testing.assert_close(losses['second/loss_speed'], expected)


def test_teacher_of_a_loaded_student_is_its_copy() -> None:
    torch.manual_seed(1)
    source, model = tiny(), tiny().train()
    weights = {k: v for k, v in source.state_dict().items() if k.startswith('backbone')}
    load_weights(model, weights)
    clips = torch.randn(2, 2, 3, 8, 32, 32)
    student = {k: v.clone() for k, v in model.backbone.named_parameters()}
    model(clips, mode='loss')
    for name, value in model.teachers['momentum'].backbone.named_parameters():
        assert torch.equal(value, student[name])


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'tasks': {}}, 'no task'),
        ({'teachers': None}, "teacher 'momentum', the config has: none"),
        (
            {'tasks': {'a': {'type': 'mmkd.SegmentPace'}}},
            "no task listens to teacher 'momentum'",
        ),
    ],
)
def test_names_are_checked_when_it_is_built(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        tiny(**changes)


def test_too_few_views_and_missing_labels_are_named() -> None:
    model = tiny(tasks={'a': {'type': 'mmkd.SegmentPace', 'views': [1]}}, teachers=None)
    with pytest.raises(
        UserError, match=r'the task a reads view 1, and a sample has 1 view'
    ):
        model(torch.randn(2, 1, 3, 8, 32, 32), samples({'speed': [0, 1]}), mode='loss')
    with pytest.raises(UserError, match=r"view labels 'segment'.*wrote: speed"):
        labels = samples({'speed': [0, 1]})
        for sample in labels:
            sample.view_labels.speed = sample.view_labels.speed.repeat(2)
        model(torch.randn(2, 2, 3, 8, 32, 32), labels, mode='loss')
