"""A run goes on only from a state of its own; anything else is one line."""

from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner

from mmkd.engine.hooks.dataloader_state import DataloaderStateHook
from mmkd.engine.runner import ResumableRunner
from mmkd.errors import UserError
from tests.engine import toy
from tests.engine.toy import ToyNet, toy_runner

ADAM = {'optimizer': {'type': 'AdamW', 'lr': 0.1}}
GROUPS = {
    'optimizer': {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9, 'weight_decay': 0.1},
    'paramwise_cfg': {'norm_decay_mult': 0.0},
}


@pytest.fixture(autouse=True)
def resumable_runner(monkeypatch):
    monkeypatch.setattr(toy, 'Runner', ResumableRunner)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp('run')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toy, 'Runner', ResumableRunner)
        toy_runner(folder, epochs=1).train()
    return torch.load(folder / 'epoch_1.pth', weights_only=True)


def resumed(folder, content: dict[str, Any], **changes: Any) -> Runner:
    path = folder / 'theirs.pth'
    torch.save(content, path)
    runner = toy_runner(
        folder / 'on', epochs=2, load_from=str(path), resume=True, **changes
    )
    runner.train()
    return runner


def test_a_state_of_its_own_is_taken(tmp_path, checkpoint):
    assert checkpoint['meta']['optimizer_type'] == 'SGD'
    assert resumed(tmp_path, checkpoint).iter == 8


def test_parameters_in_another_order_are_refused(tmp_path, checkpoint):
    weights = dict(checkpoint['state_dict'])
    for name in ('cls_head.weight', 'backbone.0.weight'):
        weights[name] = weights.pop(name)
    with pytest.raises(UserError, match=r'other order: backbone\.0\.bias where this'):
        resumed(tmp_path, {**checkpoint, 'state_dict': weights})


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'meta': None}, 'it has not a number of epochs'),
        ({'meta': {'epoch': 1}}, 'it has not a number of iters'),
        ({'meta': {'epoch': True, 'iter': 4}}, 'it has not a number of epochs'),
        ({'meta': {'epoch': 1, 'iter': 10**18}}, 'was trained for 10{18} iters'),
        ({'meta': {'epoch': 1, 'iter': 4, 'seed': 'x'}}, "a seed that is none: 'x'"),
        ({'message_hub': None}, 'it has not a message hub'),
        ({'message_hub': {'log_scalars': {}}}, 'it has not a message hub'),
        ({'optimizer': None}, 'it has not the state of an optimiser'),
        ({'optimizer': {'state': {}}}, 'it has not the state of an optimiser'),
        ({'param_schedulers': 3}, 'it has not its schedulers'),
    ],
)
def test_what_is_missing_or_odd_is_named(tmp_path, checkpoint, changes, message):
    with pytest.raises(UserError, match=message) as caught:
        resumed(tmp_path, {**checkpoint, **changes})
    assert str(caught.value).startswith(f'checkpoint {tmp_path}/theirs.pth')
    assert '\n' not in str(caught.value) and 'load_from' in caught.value.remedy


@pytest.mark.parametrize(
    ('part', 'value', 'message'),
    [
        ('log_scalars', {'loss': 'x'}, "a log of 'loss' that is none"),
        ('log_scalars', {'loss': {'log_history': 'x'}}, "a log of 'loss' that is none"),
        ('runtime_info', {'best_score': 'x'}, "a 'best_score' that is no number: 'x'"),
        ('runtime_info', {'best_score_acc': float('nan')}, 'that is no number'),
    ],
)
def test_an_odd_message_hub_is_named(tmp_path, checkpoint, part, value, message):
    hub = checkpoint['message_hub']
    hub = {**hub, part: {**hub[part], **value}}
    with pytest.raises(UserError, match=message):
        resumed(tmp_path, {**checkpoint, 'message_hub': hub})


@pytest.mark.parametrize(
    'change', [{'gamma': torch.ones(3)}, {'_global_step': -1}, {'_global_step': 'x'}]
)
def test_an_odd_schedule_is_named(tmp_path, checkpoint, change):
    schedule = {**checkpoint['param_schedulers'][0], **change}
    with pytest.raises(UserError, match='a schedule of another form'):
        resumed(tmp_path, {**checkpoint, 'param_schedulers': [schedule]})


DIGEST = {'samples': 4, 'order': 'a', 'content': 'b', 'clips_of_a_step': 2}


@pytest.mark.parametrize(
    'meta',
    [
        {'resume_place': 'x'},
        {'resume_place': {'batches_done': -1, 'batches': 4}},
        {'resume_place': {'batches_done': 10**18, 'batches': 10**18}},
        {'resume_place': {'batches_done': torch.ones(3)}},
        {'resume_place': {'batches_done': 1, 'statistics_of_ranks': ['x']}},
        {'resume_place': {'passes': 10**18, 'batches_done': 1}},
        {'resume_place': {'passes': 1}},
        {'training_data': [1]},
        {'training_data': {**DIGEST, 'samples': torch.ones(3)}},
        {'training_data': {**DIGEST, 'order': None}},
    ],
)
def test_an_invalid_position_is_refused(meta):
    runner: Any = SimpleNamespace(_resume=True, train_loop=None)
    checkpoint = {'meta': {'iter': 8, **meta}}
    with pytest.raises(UserError, match=r'cannot be resumed: .* is of no form'):
        DataloaderStateHook().after_load_checkpoint(runner, checkpoint)


@pytest.mark.parametrize('absent', ['meta', 'message_hub', 'optimizer'])
def test_what_is_not_there_is_named(tmp_path, checkpoint, absent):
    content = {key: value for key, value in checkpoint.items() if key != absent}
    with pytest.raises(UserError, match=r'cannot be resumed: it has not'):
        resumed(tmp_path, content)


def test_weights_alone_cannot_be_resumed(tmp_path, checkpoint):
    with pytest.raises(UserError, match=r'cannot be resumed: it has not'):
        resumed(tmp_path, checkpoint['state_dict'])


@pytest.mark.parametrize('noted', [True, False])
def test_another_optimiser_is_refused(tmp_path, checkpoint, noted):
    meta = dict(checkpoint['meta'])
    if not noted:  # a checkpoint of before the name was written
        del meta['optimizer_type']
    message = 'with SGD, this run has AdamW' if noted else 'another optimiser than Ad'
    with pytest.raises(UserError, match=message):
        resumed(tmp_path, {**checkpoint, 'meta': meta}, optim_wrapper=ADAM)


def test_other_groups_are_refused(tmp_path, checkpoint):
    with pytest.raises(UserError, match=r'of 1 groups \(6 tensors\), this run one of'):
        resumed(tmp_path, checkpoint, optim_wrapper=GROUPS)


def test_other_settings_are_one_line(tmp_path, checkpoint, monkeypatch):
    lines: list[str] = []
    monkeypatch.setattr(
        'mmkd.engine.console.print_log', lambda text, **_: lines.append(text)
    )
    other = {'optimizer': {**GROUPS['optimizer'], 'weight_decay': 0.5}}
    runner = resumed(tmp_path, checkpoint, optim_wrapper=other)
    (line,) = lines
    assert 'weight_decay 0 -> 0.5' in line and 'the checkpoint are followed' in line
    assert runner.optim_wrapper.param_groups[0]['weight_decay'] == 0


def with_state(checkpoint: dict[str, Any], change) -> dict[str, Any]:
    optimizer = checkpoint['optimizer']
    state = {key: dict(entry) for key, entry in optimizer['state'].items()}
    groups = [dict(group) for group in optimizer['param_groups']]
    change(state, groups)
    return {**checkpoint, 'optimizer': {'state': state, 'param_groups': groups}}


def shape(state, groups):
    state[0]['momentum_buffer'] = torch.ones(1)


def nan(state, groups):
    state[0]['momentum_buffer'] = torch.full((4, 3), float('nan'))


def stranger(state, groups):
    state[99] = {}


def rate(state, groups):
    groups[0]['lr'] = '__import__("os")'


def infinite(state, groups):
    groups[0]['weight_decay'] = float('inf')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (shape, r'momentum_buffer of its optimiser has the shape \(1,\) for a tensor'),
        (nan, 'NaN or infinity in the momentum_buffer'),
        (stranger, 'it has not the state of an optimiser'),
        (rate, 'its optimiser has lr='),
        (infinite, 'its optimiser has weight_decay=inf'),
    ],
)
def test_a_hostile_state_of_an_optimiser(tmp_path, checkpoint, change, message):
    with pytest.raises(UserError, match=message):
        resumed(tmp_path, with_state(checkpoint, change))


class TwoOptimizers(ToyNet):
    """A network whose two parts have an optimiser each."""

    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, Any]:
        losses = self(**data)
        for one in optim_wrapper.values():
            one.zero_grad()
        losses['loss'].backward()
        for one in optim_wrapper.values():
            one.step()
        return {'loss': losses['loss'].detach()}


def runner_of_two(folder, **changes: Any) -> Runner:
    """Two optimisers, each with a schedule, and MMEngine's average of the weights."""
    model = TwoOptimizers()
    parts = {'a': model.backbone, 'b': model.cls_head}
    wrappers = {
        name: OptimWrapper(torch.optim.SGD(part.parameters(), 0.1, momentum=0.9))
        for name, part in parts.items()
    }
    return toy_runner(
        folder,
        model=model,
        optim_wrapper=OptimWrapperDict(**wrappers),
        param_scheduler={n: {'type': 'MultiStepLR', 'milestones': [1]} for n in parts},
        custom_hooks=[{'type': 'EMAHook'}],
        **changes,
    )


@pytest.fixture(scope='module')
def of_two(tmp_path_factory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp('two')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toy, 'Runner', ResumableRunner)
        runner_of_two(folder, epochs=1).train()
    return torch.load(folder / 'epoch_1.pth', weights_only=True)


def resumed_of_two(folder, content: dict[str, Any]) -> Runner:
    path = folder / 'theirs.pth'
    torch.save(content, path)
    runner = runner_of_two(folder / 'on', epochs=2, load_from=str(path), resume=True)
    runner.train()
    return runner


def test_a_run_of_two_optimisers_resumes(tmp_path, of_two):
    assert of_two['meta']['optimizer_type'] == {'a': 'SGD', 'b': 'SGD'}
    assert resumed_of_two(tmp_path, of_two).iter == 8


WEIGHT = 'module.backbone.0.weight'
NOT_FINITE = torch.full((4, 3), float('nan'))


@pytest.mark.parametrize(
    ('path', 'value', 'message'),
    [
        ('optimizer', [1], 'it has not the state of a, b'),
        ('optimizer', {'a': {}}, 'it has not the state of a, b'),
        ('optimizer a', None, r'\(a\) cannot be resumed: it has not the state of an'),
        (
            'meta optimizer_type a',
            'Adam',
            r'\(a\) was made with Adam',
        ),
        (
            'optimizer b state 0 momentum_buffer',
            torch.ones(1),
            r'\(b\): the moment',
        ),
        ('optimizer a state 0 momentum_buffer', NOT_FINITE, r'\(a\) has NaN or infini'),
        ('optimizer a param_groups 0 lr', 'x', r'\(a\): its optimiser has lr=x'),
        ('param_schedulers', None, 'it has not its schedulers'),
        ('param_schedulers', {'zz': []}, 'it has not its schedulers'),
        ('param_schedulers a', 3, 'it has not its schedulers'),
        ('param_schedulers a', [{'_global_step': -1}], 'a schedule of another form'),
        ('ema_state_dict', None, 'it has not the state of an average'),
        ('ema_state_dict', {}, r"without 'backbone\.0\.weight'"),
        (f'ema_state_dict {WEIGHT}', 'x', 'of another form than its weights'),
        (f'ema_state_dict {WEIGHT}', torch.ones(1), 'of another form than its weights'),
        (f'ema_state_dict {WEIGHT}', NOT_FINITE, 'NaN or infinity in its average'),
        ('ema_state_dict steps', torch.tensor(-5), "'steps' is of another form"),
        ('ema_state_dict module.none', torch.ones(1), 'of another form than its wei'),
    ],
)
def test_hostile_states_of_several_optimisers_and_of_an_average(
    tmp_path, of_two, path, value, message
):
    content = part = deepcopy(of_two)
    *above, last = (int(key) if key.isdigit() else key for key in path.split())
    for key in above:
        part = part[key]
    part[last] = value
    with pytest.raises(UserError, match=message) as caught:
        resumed_of_two(tmp_path, content)
    assert '\n' not in str(caught.value)
