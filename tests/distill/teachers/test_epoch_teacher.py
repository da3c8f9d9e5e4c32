from typing import Any

import pytest
import torch
from torch import nn

from mmkd.distill.teachers import EpochTeacher, FrozenTeacher, MomentumTeacher
from mmkd.errors import UserError
from mmkd.models.teacher import Encoder, state_hash
from mmkd.registry import MODELS
from tests.distill.tiny import clips, recognizer


def student() -> nn.Module:
    torch.manual_seed(0)
    return MODELS.build(recognizer())


def built(model: nn.Module, **options: Any) -> EpochTeacher:
    teacher = EpochTeacher(**options)
    teacher.build(model)
    return teacher


def move(model: nn.Module) -> None:
    with torch.no_grad():
        for value in model.state_dict().values():
            value.add_(torch.ones_like(value))


def test_it_is_a_copy_of_the_encoder_until_told_to_follow() -> None:
    model = student()
    teacher = built(model)
    assert {k.split('.')[0] for k in teacher.model.state_dict()} == {'backbone'}
    first = state_hash(model.backbone.state_dict())
    assert state_hash(teacher.model.backbone.state_dict()) == first
    move(model)
    assert state_hash(teacher.model.backbone.state_dict()) == first
    teacher.update(model)
    second = state_hash(teacher.model.backbone.state_dict())
    assert second == state_hash(model.backbone.state_dict()) != first
    assert hasattr(built(model, with_head=True).model, 'cls_head')


def test_the_average_is_of_parameters_and_statistics_are_copied() -> None:
    model = student()
    teacher = built(model, momentum=0.75)
    old = {k: v.clone() for k, v in teacher.model.state_dict().items()}
    move(model)
    teacher.update(model)
    parameters = dict(teacher.model.named_parameters())
    for name, value in teacher.model.state_dict().items():
        step = 0.25 if name in parameters else 1
        torch.testing.assert_close(value, old[name] + step, msg=name)


@pytest.mark.parametrize('mode', ['eval', 'train'])
def test_in_either_mode_it_stays_what_it_is(mode: str) -> None:
    model = student()
    teacher = built(model, mode=mode)
    before = teacher.hash()
    x = torch.stack(clips()['inputs']).float()
    found = teacher.train()(x, ['backbone'])['backbone']
    assert teacher.hash() == before
    model.train(mode == 'train')
    torch.testing.assert_close(found, model.backbone(x[:, 0]))
    assert not found.requires_grad


def test_the_hash_changes_with_any_value_type_shape_or_name() -> None:
    state = {'a': torch.zeros(2, 2), 'b': torch.ones((), dtype=torch.long)}
    first = state_hash(state)
    assert len(first) == 16
    assert state_hash(dict(reversed(state.items()))) == first
    others = [
        {**state, 'a': torch.tensor([[0, 0], [0, 1e-30]])},
        {**state, 'a': torch.zeros(4)},
        {**state, 'a': torch.zeros(2, 2, dtype=torch.int32)},
        {'c': state['a'], 'b': state['b']},
    ]
    assert len({first, *map(state_hash, others)}) == 5


def test_whom_a_teacher_cannot_teach_is_said_in_one_line() -> None:
    model = student()
    encoder = Encoder(model.backbone, {})
    with pytest.raises(UserError, match='EpochTeacher does not teach the tasks of a'):
        EpochTeacher().build(encoder)
    with pytest.raises(UserError, match='MomentumTeacher teaches the tasks of a Pre'):
        MomentumTeacher().build(model)
    with pytest.raises(UserError, match=r"not built .*'mmkd.TeacherUpdateHook'"):
        EpochTeacher()(torch.zeros(1, 1, 3, 4, 16, 16), ['backbone'])
    kinds = (FrozenTeacher, MomentumTeacher, EpochTeacher)
    assert [kind.updates for kind in kinds] == ['never', 'step', 'epoch']
