"""Self-distilled fine-tuning on a stock recognizer, run by a runner."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import Hook

from mmkd.distill import Distiller
from mmkd.engine.hooks import EpochTeacherHook, TeacherUpdateHook
from mmkd.errors import UserError
from mmkd.models.teacher import state_hash
from tests.distill.tiny import clips, distiller, recognizer
from tests.engine.hooks.tiny_runner import tiny_runner

KEY = 'epoch_teacher_state_dict'
LOSS = 'loss_epoch_teacher'
COSINE = {'type': 'mmkd.FeatureDistance', 'distance': 'cosine'}


def encoder_hash(state: dict[str, torch.Tensor]) -> str:
    return state_hash({k: v for k, v in state.items() if k.startswith('backbone.')})


class Probe(Hook):
    """Write down the teacher of every iteration and the student at every border."""

    priority = 'LOWEST'

    def __init__(self, hook: TeacherUpdateHook) -> None:
        self.hook = hook
        self.teachers: list[str] = []
        self.students: list[str] = []
        self.losses: list[float] = []
        self.outputs: list[dict[str, float]] = []

    def before_train(self, runner: Any) -> None:
        self.students.append(encoder_hash(runner.model.state_dict()))

    def before_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
        self.teachers.append(self.hook.teacher.hash())

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any, outputs: Any
    ) -> None:
        self.outputs.append({name: value.item() for name, value in outputs.items()})
        self.losses.append(outputs.get(LOSS, torch.zeros(())).item())

    def after_train_epoch(self, runner: Any) -> None:
        self.students.append(encoder_hash(runner.model.state_dict()))


def probed(folder: Path, epochs: int = 3, **options: Any) -> Probe:
    hook = EpochTeacherHook(**options.pop('hook', {}))
    probe = Probe(hook)
    tiny_runner(folder, hook, probe, epochs=epochs, **options).train()
    return probe


def saved(folder: Path, name: str) -> dict[str, Any]:
    return torch.load(folder / f'{name}.pth', weights_only=True)


def test_the_teacher_is_the_student_at_the_end_of_the_last_epoch(
    tmp_path: Path,
) -> None:
    probe = probed(tmp_path)
    start, first, second, _ = probe.students
    assert len(set(probe.students)) == 4
    assert probe.teachers == [start, start, first, first, second, second]
    for epoch in (1, 2, 3):
        checkpoint = saved(tmp_path, f'epoch_{epoch}')
        assert encoder_hash(checkpoint['state_dict']) == probe.students[epoch]
        teacher = {k.removeprefix('teacher.'): v for k, v in checkpoint[KEY].items()}
        assert state_hash(teacher) == probe.students[epoch]
        assert checkpoint['meta']['epoch_teacher_hash'] == probe.students[epoch]
        assert {k.split('.')[0] for k in checkpoint['state_dict']} == {
            'backbone',
            'cls_head',
        }


def test_the_first_teacher_is_the_encoder_that_was_loaded(tmp_path: Path) -> None:
    tiny_runner(tmp_path / 'a', epochs=1).train()
    loaded = str(tmp_path / 'a/epoch_1.pth')
    probe = probed(tmp_path / 'b', epochs=1, load_from=loaded)
    weights = torch.load(loaded, weights_only=True)['state_dict']
    assert probe.teachers[0] == probe.students[0] == encoder_hash(weights)


def test_weight_zero_is_plain_training_bit_for_bit(tmp_path: Path) -> None:
    tiny_runner(tmp_path / 'a').train()
    tiny_runner(tmp_path / 'b', EpochTeacherHook(weight=0)).train()
    tiny_runner(tmp_path / 'c', EpochTeacherHook(weight=5.0)).train()
    plain, zero, five = (saved(tmp_path / name, 'epoch_2') for name in 'abc')
    assert KEY not in zero
    for name, value in plain['state_dict'].items():
        assert torch.equal(zero['state_dict'][name], value), name
    moved = 'backbone.layer4.0.conv2.conv.weight'
    assert not torch.equal(five['state_dict'][moved], plain['state_dict'][moved])


def test_it_survives_a_resume_at_a_border(tmp_path: Path) -> None:
    straight = probed(tmp_path / 'a', epochs=3)
    probed(tmp_path / 'b', epochs=2)
    resumed = probed(
        tmp_path / 'b',
        epochs=3,
        resume=True,
        load_from=str(tmp_path / 'b/epoch_2.pth'),
    )
    assert resumed.teachers == straight.teachers[4:]
    assert resumed.students[-1] == straight.students[-1]
    assert resumed.losses == straight.losses[4:]


def test_it_survives_a_resume_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    """Three iterations are one epoch and a half: the teacher is that of epoch 1."""
    by_iteration = {'by_epoch': False, 'interval': 3, 'save_last': False}
    first = probed(tmp_path, epochs=2, checkpoint=by_iteration)
    middle = saved(tmp_path, 'iter_3')
    assert middle['meta']['epoch_teacher_hash'] == first.students[1]
    assert encoder_hash(middle['state_dict']) not in first.students
    resumed = probed(
        tmp_path, epochs=2, resume=True, load_from=str(tmp_path / 'iter_3.pth')
    )
    # MMEngine begins the interrupted epoch again.
    assert resumed.teachers == [first.students[1]] * 2
    assert resumed.students[0] == encoder_hash(middle['state_dict'])


def test_a_run_without_it_cannot_be_resumed_with_it(tmp_path: Path) -> None:
    tiny_runner(tmp_path, epochs=1).train()
    options = {'resume': True, 'load_from': str(tmp_path / 'epoch_1.pth')}
    with pytest.raises(UserError, match='the run to resume has no epoch teacher'):
        tiny_runner(tmp_path, EpochTeacherHook(), **options).train()


@pytest.mark.parametrize('target', ['pooled', 'dense', 'logits'])
def test_equal_networks_give_exactly_zero_and_the_loss_is_what_it_says(
    tmp_path: Path, target: str
) -> None:
    """Both in eval; then the student one step further, against a plain computation."""
    hook = EpochTeacherHook(target, weight=2.0)
    runner = tiny_runner(tmp_path, hook)
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    model = runner.model
    data = model.data_preprocessor(clips(), True)
    # In eval, but taken for training: the hook adds nothing to a validation.
    model.eval()
    assert LOSS not in model(**data, mode='loss')
    model.training = True
    assert model(**data, mode='loss')[LOSS].item() == 0
    before = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.1)
    found = model(**data, mode='loss')[LOSS]
    clip = data['inputs'][:, 0]
    maps = [net.backbone(clip).double() for net in (model, before)]
    if target == 'logits':
        student, teacher = (
            (net.cls_head(m.float()).double() / 4).log_softmax(1)
            for net, m in zip((model, before), maps, strict=True)
        )
        expected = 16 * (teacher.exp() * (teacher - student)).sum(1).mean()
    else:
        if target == 'pooled':
            maps = [m.mean((2, 3, 4)) for m in maps]
        expected = 1 - torch.cosine_similarity(*maps, dim=1).mean()
    assert found.item() == pytest.approx(2 * expected.item(), rel=1e-4)
    found.backward()
    assert all(p.grad is None for p in hook.teacher.parameters())


def test_first_epoch_and_ramp(tmp_path: Path) -> None:
    options = {'first_epoch': 2, 'ramp_epochs': 2, 'weight': 4.0, 'teacher': 'initial'}
    probe = probed(tmp_path, epochs=4, hook=options)
    assert probe.losses[:2] == [0, 0]
    assert all(loss > 0 for loss in probe.losses[2:])
    hook = EpochTeacherHook(**options)
    factors = []
    for epoch in range(4):
        runner = type('Runner', (), {'epoch': epoch})()
        hook.before_train_epoch(runner)
        factors.append(hook._factor)
    assert factors == [0, 2, 4, 4]


def test_the_initial_encoder_stays(tmp_path: Path) -> None:
    probe = probed(tmp_path, hook={'teacher': 'initial'})
    assert probe.teachers == [probe.students[0]] * 6


def test_the_moving_average_moves_at_every_iteration(tmp_path: Path) -> None:
    class Twin(Hook):
        """The average of one weight, by its definition."""

        def before_train(self, runner: Any) -> None:
            self.value = runner.model.backbone.conv1.conv.weight.detach().clone()

        def after_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
            new = runner.model.backbone.conv1.conv.weight.detach()
            self.value = 0.75 * self.value + 0.25 * new

    hook = EpochTeacherHook(teacher='average', momentum=0.75)
    twin = Twin()
    tiny_runner(tmp_path, hook, twin).train()
    found = hook.teacher.model.backbone.conv1.conv.weight
    torch.testing.assert_close(found, twin.value)


def test_a_loss_with_a_memory_is_resumed_with_it(tmp_path: Path) -> None:
    memory = {'type': 'mmkd.QueueSimilarity', 'channels': 32, 'queue_size': 16}
    hook = EpochTeacherHook(loss=memory)
    tiny_runner(tmp_path, hook, epochs=1).train()
    queue = hook.term.loss.queue.features.clone()
    assert torch.equal(saved(tmp_path, 'epoch_1')[KEY]['loss.queue.features'], queue)
    again = EpochTeacherHook(loss=memory)
    options = {'resume': True, 'load_from': str(tmp_path / 'epoch_1.pth')}
    runner = tiny_runner(tmp_path, again, epochs=1, **options)
    runner.train()
    assert torch.equal(again.term.loss.queue.features, queue)


def test_it_works_beside_a_frozen_teacher(tmp_path: Path) -> None:
    probe = probed(tmp_path, epochs=2, model=distiller())
    assert probe.teachers == [probe.students[0]] * 2 + [probe.students[1]] * 2
    state = saved(tmp_path, 'epoch_2')[KEY]
    assert {k.split('.')[1] for k in state} == {'backbone'}


def self_distiller(**term: Any) -> Distiller:
    """A Distiller that does what the hook does, around the same network."""
    term = {'student': 'backbone', 'pool': True, 'loss': COSINE, **term}
    return distiller(
        {'epoch_teacher': term},
        student=recognizer(dropout=0.0),
        teacher={'type': 'mmkd.EpochTeacher'},
    )


def losses(history: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in history.items() if 'loss' in name}
    return {name.replace('distill/', ''): value for name, value in kept.items()}


def test_hook_and_distiller_give_the_same_numbers_bit_for_bit(tmp_path: Path) -> None:
    hooks: dict[str, TeacherUpdateHook] = {'hook': EpochTeacherHook(weight=3.0)}
    hooks['distiller'] = TeacherUpdateHook()
    logs = {}
    for name, hook in hooks.items():
        model = self_distiller(weight=3.0) if name == 'distiller' else None
        probe = Probe(hook)
        tiny_runner(tmp_path / name, hook, probe, model=model).train()
        logs[name] = [losses(outputs) for outputs in probe.outputs]
    assert logs['hook'] == logs['distiller']
    assert all(step['loss_epoch_teacher'] > 0 for step in logs['hook'][1:])
    for epoch in ('epoch_1', 'epoch_2'):
        one, other = (saved(tmp_path / name, epoch) for name in hooks)
        for part in ('state_dict', KEY):
            assert list(one[part]) == list(other[part])
            for name, value in one[part].items():
                assert torch.equal(other[part][name], value), (epoch, name)
    # Each goes on from the other's checkpoint.
    options = {'resume': True, 'load_from': str(tmp_path / 'hook/epoch_1.pth')}
    model = self_distiller(weight=3.0)
    tiny_runner(tmp_path / 'on', TeacherUpdateHook(), model=model, **options).train()
    end = saved(tmp_path / 'on', 'epoch_2')['state_dict']
    for name, value in one['state_dict'].items():
        assert torch.equal(end[name], value), name


def test_two_epoch_teachers_and_one_that_nobody_updates(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'Use mmkd\.TeacherUpdateHook instead'):
        tiny_runner(tmp_path, EpochTeacherHook(), model=self_distiller()).train()
    with pytest.raises(UserError, match=r"Add dict\(type='mmkd.TeacherUpdateHook'\)"):
        tiny_runner(tmp_path, model=self_distiller()).train()


def test_the_model_is_left_as_it_was_found(tmp_path: Path) -> None:
    runner = tiny_runner(tmp_path, EpochTeacherHook(), epochs=1)
    names = list(runner.model.state_dict())
    runner.train()
    assert list(runner.model.state_dict()) == names
    for module in runner.model.modules():
        assert not module._forward_hooks and not module._forward_pre_hooks


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'target': 'maps'}, r"target='maps'. Use one of pooled, dense, logits"),
        ({'teacher': 'ema'}, r"teacher='ema'. Use one of last_epoch, initial, av"),
        ({'mode': 'bn'}, r"mode='bn'. Use one of eval, train"),
        ({'first_epoch': 0}, r'first_epoch 0'),
        ({'loss': {'type': 'mmkd.FeatureDistance', 'norm': 1}}, r"no argument 'norm'"),
    ],
)
def test_options_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        EpochTeacherHook(**options)


def test_a_wrong_path_is_found_before_training(tmp_path: Path) -> None:
    runner = tiny_runner(tmp_path, EpochTeacherHook(path='backbone.layer9'))
    with pytest.raises(UserError, match=r'backbone has: conv1, .*layer4'):
        runner.train()
    assert not list(tmp_path.glob('*.pth'))
    by_iteration = {'by_epoch': False, 'max_iters': 2}
    runner = tiny_runner(tmp_path, EpochTeacherHook(), train_cfg=by_iteration)
    with pytest.raises(UserError, match='needs training by epochs'):
        runner.train()


def test_an_odd_teacher_to_resume_is_one_line(tmp_path: Path) -> None:
    probed(tmp_path, epochs=1)
    content = saved(tmp_path, 'epoch_1')
    for odd in ({}, {'teacher.backbone': 'x'}, {3: 4}, 'x', None):
        torch.save({**content, KEY: odd}, tmp_path / 'odd.pth')
        with pytest.raises(UserError, match='epoch teacher') as caught:
            probed(tmp_path, epochs=2, resume=True, load_from=str(tmp_path / 'odd.pth'))
        assert '\n' not in str(caught.value)
