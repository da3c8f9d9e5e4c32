"""Shared feature, split channels, own last stage: who reads and moves what."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from torch import Tensor, nn

from mmkd.engine.load_weights import load_weights
from mmkd.errors import UserError
from mmkd.methods.human_prior import OwnLastStage
from mmkd.models import Pretrainer
from mmkd.registry import MODELS
from mmkd.zoo.base_networks import build_backbone
from mmkd.zoo.export import export
from tests.methods.human_prior.test_task import train
from tests.methods.human_prior.toy import FORMS, PARTS, clips, human_prior, samples
from tests.shared_files import ROOT


def moved_by(model: Pretrainer, task: str) -> dict[str, Tensor]:
    """Return the gradients of one task's losses that are not zero, by parameter."""
    model.zero_grad()
    losses = model(clips(3), samples(3), mode='loss')
    sum(v for k, v in losses.items() if k.startswith(task) and 'loss' in k).backward()
    return {
        name: p.grad
        for name, p in model.named_parameters()
        if p.grad is not None and p.grad.any()
    }


def stages(names: Any) -> set[str]:
    """Return the backbone's stages, and other parts, among names of parameters."""
    return {
        name.split('.')[1] if name.startswith('backbone') else name.split('.')[0]
        for name in names
    }


TRUNK = {'conv1', 'layer1', 'layer2', 'layer3'}


@pytest.mark.parametrize('form', FORMS)
def test_the_map_a_task_reads_and_the_width_of_its_head(form: str) -> None:
    model = human_prior(form)
    width = {'SharedFeature': 32, 'SplitChannels': 16, 'OwnLastStage': 32}[form]
    assert model.tasks['parsing'].head.weight.shape == (PARTS, width, 1, 1, 1)
    contrast = 16 if form == 'SplitChannels' else 32
    for task in ('avid', 'rsp'):
        assert model.tasks[task].projector.layers[0].in_features == contrast
    stage = human_prior('SharedFeature', parsing={'stage': 'layer3'})
    assert stage.tasks['parsing'].head.in_channels == 16


def test_what_each_task_reads_is_what_the_backbone_makes() -> None:
    """Against a backbone cut open by hand, view by view."""
    inputs = clips(2)
    for form, stage in [(f, None) for f in FORMS] + [('SharedFeature', 'layer3')]:
        model = human_prior(form, parsing={'stage': stage}).eval()
        if form == 'OwnLastStage':
            for p in model.representations.parameters():
                nn.init.normal_(p, std=0.1)
        net = model.backbone
        x = inputs[:, 0]
        for name in ('conv1', 'layer1', 'layer2', 'layer3'):
            x = getattr(net, name)(x)
        last = net.layer4(x)
        parsing = {
            'SharedFeature': x if stage else last,
            'SplitChannels': last[:, 16:],
            'OwnLastStage': None,
        }[form]
        if parsing is None:
            branch = copy.deepcopy(net.layer4)
            state = model.representations.branches['parsing'].layer4.state_dict()
            branch.load_state_dict(state)
            parsing = branch(x)
        contrast = last[:, :16] if form == 'SplitChannels' else last
        read = model.task_maps(inputs)
        assert read.keys() == {'avid', 'rsp', 'parsing'}
        assert torch.equal(read['parsing'][0], parsing)
        assert torch.equal(read['avid'][0], contrast)
        assert torch.equal(read['rsp'][0], contrast)


@pytest.mark.parametrize('joint', [True, False])
@pytest.mark.parametrize('form', ['SharedFeature', 'OwnLastStage'])
def test_several_views_and_one_call_of_the_backbone(form: str, joint: bool) -> None:
    stage = 'layer3' if form == 'SharedFeature' else None
    model = human_prior(
        form, parsing={'views': (0, 2), 'stage': stage}, joint_views=joint
    )
    calls = []
    model.backbone.register_forward_hook(lambda m, i, o: calls.append(len(i[0])))
    inputs = clips(2)
    read = model.eval().task_maps(inputs)
    assert calls == ([4] if joint else [2, 2])
    alone = human_prior(form, parsing={'stage': stage}).eval()
    for view in (0, 2):
        expected = alone.task_maps(inputs[:, view:])['parsing'][0]
        torch.testing.assert_close(read['parsing'][view], expected)
    calls.clear()
    human = human_prior(form, parsing={'stage': stage})
    human.backbone.register_forward_hook(lambda *_: calls.append(1))
    human(inputs, samples(2), mode='loss')
    assert calls == [1]


def test_the_gradient_of_each_form_flows_where_it_should() -> None:
    shared = human_prior('SharedFeature')
    assert stages(moved_by(shared, 'parsing')) == TRUNK | {'layer4', 'tasks'}
    assert stages(moved_by(shared, 'avid')) == TRUNK | {'layer4', 'tasks'}

    own = human_prior('OwnLastStage')
    assert stages(moved_by(own, 'parsing')) == TRUNK | {'representations', 'tasks'}
    assert stages(moved_by(own, 'avid')) == TRUNK | {'layer4', 'tasks'}

    stage = human_prior('SharedFeature', parsing={'stage': 'layer2'})
    assert stages(moved_by(stage, 'parsing')) == {'conv1', 'layer1', 'layer2', 'tasks'}

    split = human_prior('SplitChannels')
    # What makes the last channels: the last normalisation, and that of the shortcut.
    for task, own in (('parsing', slice(16, 32)), ('avid', slice(0, 16))):
        for name in ('conv2.bn', 'downsample.bn'):
            bias = moved_by(split, task)[f'backbone.layer4.0.{name}.bias']
            others = torch.ones(32, dtype=torch.bool)
            others[own] = False
            assert bias[own].any() and not bias[others].any()


def test_a_task_moves_no_head_but_its_own() -> None:
    for form in FORMS:
        names = moved_by(human_prior(form), 'parsing')
        heads = {n.split('.')[1] for n in names if n.startswith('tasks')}
        assert heads == {'parsing'}


@pytest.mark.parametrize('form', FORMS)
def test_the_teacher_follows_the_path_of_the_contrast(form: str) -> None:
    """Its embedding is that of a student with the same weights, in the same mode."""
    model = human_prior(form)
    inputs = clips(3)
    model(inputs, samples(3), mode='loss')
    teacher = model.teachers['momentum']
    assert teacher.steps == 1
    model.eval()
    embedding = teacher(inputs[:, 1], ['avid'])['avid']
    for own, other in zip(
        teacher.backbone.buffers(), model.backbone.buffers(), strict=True
    ):
        other.data.copy_(own)
    read = model.task_maps(inputs[:, 1:])['avid'][0]
    expected = model.tasks['avid'].projector(read)
    torch.testing.assert_close(embedding, expected)
    assert not any('branches' in name for name in teacher.state_dict())


def test_a_branch_is_a_copy_of_the_stage_however_it_starts() -> None:
    def difference(model: Pretrainer) -> float:
        own = model.representations.branches['parsing'].layer4.state_dict()
        pairs = zip(
            own.values(), model.backbone.layer4.state_dict().values(), strict=True
        )
        return max(float((a - b).abs().max()) for a, b in pairs)

    kaiming = {'type': 'Kaiming', 'layer': 'Conv3d'}
    backbone = Config.fromfile(
        ROOT / 'configs/tiny/human_prior_r3d_synthetic.py'
    ).model.backbone
    model = human_prior(backbone={**backbone, 'base_channels': 4, 'init_cfg': kaiming})
    before = model.backbone.layer4[0].conv1.conv.weight.clone()
    assert difference(model) == 0
    model.init_weights()
    assert not torch.equal(model.backbone.layer4[0].conv1.conv.weight, before)
    assert difference(model) == 0

    # A checkpoint of another method, which has no branches.
    source = human_prior(parsing=False, seed=1)
    report = load_weights(model, source.state_dict())
    assert difference(model) == 0
    assert not [key for key in report.missing if 'branches' in key]
    # Its own checkpoint has.
    train(model, 1)
    apart = difference(model)
    assert apart > 0
    again = human_prior(seed=2, backbone={**backbone, 'base_channels': 4})
    again.load_state_dict(model.state_dict(), strict=True)
    assert difference(again) == apart


@pytest.mark.parametrize('net', ['c3d_tiny', 'r2plus1d_tiny', 'r3d_tiny', 's3dg_tiny'])
def test_the_copy_of_the_last_stage_makes_the_last_map(net: str) -> None:
    torch.manual_seed(0)
    backbone = build_backbone(net).eval()
    form = OwnLastStage(backbone).eval()
    inputs: list[Tensor] = []
    first = dict(backbone.named_children())[form.names[0]]
    first.register_forward_pre_hook(lambda module, args: inputs.append(args[0]))
    last = backbone(torch.randn(2, 3, 8, 32, 32))
    read = form.read('parsing', {0: inputs[0]}, joint=True)[0]
    assert torch.equal(read, last)
    assert form.source('parsing', None) == f'{form.names[0]}:input'
    assert form.source('avid', None) is None


def test_an_unknown_network_is_asked_for_its_last_stage() -> None:
    with pytest.raises(UserError, match='attribute last_stage'):
        OwnLastStage(nn.Conv3d(3, 4, 1))


@pytest.mark.parametrize(
    ('form', 'options', 'message'),
    [
        ('SharedFeature', {'parsing': {'stage': 'layer9'}}, r"'layer9'; it has: conv1"),
        ('OwnLastStage', {'parsing': {'stage': 'layer3'}}, 'OwnLastStage says what'),
        ('SplitChannels', {'parsing': {'stage': 'layer3'}}, 'SplitChannels says what'),
    ],
)
def test_a_stage_that_does_not_fit_is_named(
    form: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        human_prior(form, **options)


def test_a_last_stage_that_nobody_reads_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    name = 'mmkd.models.representations.print_log'
    monkeypatch.setattr(name, lambda message, *args: told.append(message))
    human_prior('SharedFeature', parsing={'stage': 'layer3'})
    assert not told
    cfg = Config.fromfile(ROOT / 'configs/tiny/human_prior_r3d_synthetic.py').model
    parsing = {'parsing': {**cfg.tasks.parsing, 'stage': 'layer3'}}
    form = {'type': 'mmkd.SharedFeature'}
    model = {**cfg, 'tasks': parsing, 'teachers': None, 'representations': form}
    MODELS.build(model)
    assert len(told) == 1 and "only 'layer3': what lies behind is not" in told[0]


def test_tasks_that_do_not_fit_are_named() -> None:
    def built(*tasks: str) -> Pretrainer:
        form = {'type': 'mmkd.OwnLastStage', 'tasks': tasks}
        return human_prior(representations=form)

    with pytest.raises(UserError, match=r"'pars',.*the model has: avid, rsp, parsing"):
        built('pars')
    with pytest.raises(UserError, match="'avid' listens to a teacher and has a last"):
        built('avid')
    model = human_prior('SharedFeature')
    model.tasks['avid'].stage = 'layer3'
    with pytest.raises(UserError, match="'avid' reads stage 'layer3' and listens"):
        model._check_names()


def test_the_backbone_is_a_stock_one_and_a_copy_runs() -> None:
    plain, model = human_prior(parsing=False), human_prior()
    own = {k for k in model.state_dict() if k.startswith('backbone.')}
    assert own == {k for k in plain.state_dict() if k.startswith('backbone.')}
    copied = copy.deepcopy(model)
    found = copied(clips(2), samples(2), mode='loss')
    assert torch.equal(
        found['parsing/loss'], model(clips(2), samples(2), mode='loss')['parsing/loss']
    )


def test_export_takes_the_trunk_and_one_branch(tmp_path: Path) -> None:
    model = human_prior()
    train(model, 1)
    config = tmp_path / 'config.py'
    tiny = ROOT / 'configs/tiny/human_prior_r3d_synthetic.py'
    config.write_text(
        f"_base_ = '{tiny}'\nmodel = dict(backbone=dict(base_channels=4))"
    )
    torch.save({'state_dict': model.state_dict()}, tmp_path / 'trained.pth')
    found = {}
    for branch in (None, 'parsing'):
        path = tmp_path / f'{branch}.pth'
        files = (config, tmp_path / 'trained.pth', path)
        export(*files, 'backbone', clip=(8, 32, 32), branch=branch)
        found[branch] = torch.load(path, weights_only=True)['state_dict']
    state = model.state_dict()
    assert found[None].keys() == found['parsing'].keys()
    for key, value in found[None].items():
        assert torch.equal(value, state[key])
        branch = key.replace('backbone.', 'representations.branches.parsing.')
        expected = state[branch] if '.layer4.' in key else state[key]
        assert torch.equal(found['parsing'][key], expected)
    changed = 'backbone.layer4.0.conv1.conv.weight'
    assert not torch.equal(found[None][changed], found['parsing'][changed])
    with pytest.raises(UserError, match=r"no branch 'avid'; it has: parsing"):
        export(*files, 'backbone', clip=(8, 32, 32), branch='avid')
