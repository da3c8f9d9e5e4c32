from pathlib import Path
from typing import Any

import pytest
import torch

from mmkd.distill.teachers import FrozenTeacher
from mmkd.errors import UserError
from mmkd.registry import MODELS
from tests.distill.tiny import clips, pretrainer, recognizer, save


def rewrite(path: Path, change: Any) -> str:
    content = torch.load(path, weights_only=True)
    change(content['state_dict'])
    torch.save(content, path)
    return str(path)


def test_it_holds_exactly_the_checkpoint(tmp_path: Path) -> None:
    path = save(tmp_path / 'a.pth', recognizer())
    teacher = FrozenTeacher(recognizer(), path)
    state = torch.load(path, weights_only=True)['state_dict']
    assert all(torch.equal(v, state[k]) for k, v in teacher.model.state_dict().items())
    assert not any(p.requires_grad for p in teacher.parameters())


def test_a_config_file_and_a_distillers_student(tmp_path: Path) -> None:
    path = save(tmp_path / 'a.pth', recognizer())
    plain, distilled = tmp_path / 'plain.py', tmp_path / 'distilled.py'
    plain.write_text(f'model = {recognizer()!r}')
    model = {'type': 'mmkd.Distiller', 'student': recognizer(), 'losses': {}}
    distilled.write_text(f'model = {model!r}')
    hashes = {
        FrozenTeacher(config, path).hash()
        for config in (recognizer(), str(plain), str(distilled))
    }
    assert len(hashes) == 1


def test_always_in_eval_and_without_gradient(tmp_path: Path) -> None:
    teacher = FrozenTeacher(recognizer(), save(tmp_path / 'a.pth', recognizer()))
    paths = ['cls_head.fc_cls', 'backbone']
    teacher.train()
    assert {m.training for m in teacher.modules()} == {False}
    before = teacher.hash()
    x = torch.stack(clips()['inputs']).float()
    first, second = teacher(x, paths), teacher(x, paths)
    assert torch.equal(first['cls_head.fc_cls'], second['cls_head.fc_cls'])
    assert not first['backbone'].requires_grad
    # Fit for autograd: a tensor of inference mode could not be kept for backward.
    assert not first['backbone'].is_inference()
    assert teacher.hash() == before


def test_random_is_always_the_same_and_leaves_the_numbers_alone() -> None:
    state = torch.get_rng_state()
    first = FrozenTeacher(recognizer(), 'random').hash()
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)
    assert FrozenTeacher(recognizer(), 'random').hash() == first


def test_banks_take_the_size_of_the_checkpoint(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = MODELS.build(pretrainer())
    for bank in model.tasks['contrast'].banks:
        bank.resize(5)
    path = tmp_path / 'a.pth'
    torch.save({'state_dict': model.state_dict()}, path)
    teacher = FrozenTeacher(pretrainer(), str(path))
    state = teacher.model.state_dict()
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    teacher = FrozenTeacher(pretrainer(), str(path), tasks=['vcp'])
    assert list(teacher.model.tasks) == ['vcp']
    with pytest.raises(UserError, match=r"no task 'vcop'; it has: vcp, contrast"):
        FrozenTeacher(pretrainer(), str(path), tasks=['vcop'])


def test_a_task_of_a_joint_pre_training_teaches_alone() -> None:
    """The teacher of the task that is left out has nobody to listen to it."""
    joint = pretrainer()
    joint['tasks'] |= {'skd': {'type': 'mmkd.SimilarityDistill', 'queue_size': 8}}
    joint['teachers'] = {'momentum': {'type': 'mmkd.MomentumTeacher'}}
    alone = FrozenTeacher(joint, 'random', tasks=['vcp'])
    labels = {'transform': torch.zeros(2, 3, dtype=torch.long)}
    inputs = torch.zeros(2, 3, 3, 4, 16, 16)
    losses = alone.model.task_losses(inputs, labels, torch.arange(2))
    assert {name.split('/')[0] for name in losses} == {'vcp'}


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (
            lambda state: state.pop('cls_head.fc_cls.bias'),
            r'a.pth lacks: cls_head.fc_cls.bias. Give the config',
        ),
        (
            lambda state: state.update({'neck.weight': torch.ones(1)}),
            r'has beyond the config: neck.weight',
        ),
        (
            lambda state: state.update({'cls_head.fc_cls.bias': torch.ones(9)}),
            r'has in another shape: cls_head.fc_cls.bias',
        ),
    ],
)
def test_a_key_that_does_not_fit_is_an_error(
    tmp_path: Path, change: Any, message: str
) -> None:
    save(tmp_path / 'a.pth', recognizer())
    path = rewrite(tmp_path / 'a.pth', change)
    with pytest.raises(UserError, match=message):
        FrozenTeacher(recognizer(), path)


def test_counters_of_batch_norm_may_be_missing(tmp_path: Path) -> None:
    save(tmp_path / 'a.pth', recognizer())

    def drop_counters(state: dict[str, torch.Tensor]) -> None:
        for key in [k for k in state if k.endswith('num_batches_tracked')]:
            del state[key]

    path = rewrite(tmp_path / 'a.pth', drop_counters)
    assert FrozenTeacher(recognizer(), path).source.endswith('a.pth')


def test_other_pixels_than_it_was_trained_with_are_an_error(tmp_path: Path) -> None:
    trained = MODELS.build(recognizer(convention='bgr255')).data_preprocessor.convention
    meta = {'input_convention': trained.as_dict()}
    path = save(tmp_path / 'a.pth', recognizer(), **meta)
    with pytest.raises(UserError, match=r"convention 'bgr255', its config feeds 'imag"):
        FrozenTeacher(recognizer(), path)
    assert FrozenTeacher(recognizer(convention='bgr255'), path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'checkpoint .*no\.pth does not exist'):
        FrozenTeacher(recognizer(), str(tmp_path / 'no.pth'))
    with pytest.raises(UserError, match=r'config no/config\.py of the teacher'):
        FrozenTeacher('no/config.py', 'random')
    with pytest.raises(UserError, match='no model with a type'):
        FrozenTeacher({}, 'random')
