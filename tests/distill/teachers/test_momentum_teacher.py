import copy

import pytest
import torch
from torch import nn

from mmkd.distill.teachers import MomentumTeacher
from mmkd.errors import UserError
from mmkd.models.teacher import Encoder


def attached(
    **kwargs: object,
) -> tuple[MomentumTeacher, nn.Module, dict[str, nn.Module]]:
    backbone = nn.Sequential(nn.Conv3d(3, 4, 1), nn.BatchNorm3d(4), nn.Dropout(0.5))
    heads: dict[str, nn.Module] = {'task': nn.Linear(4, 2)}
    teacher = MomentumTeacher(**kwargs)
    teacher.build(Encoder(backbone, heads))
    return teacher, backbone, heads


def move(module: nn.Module) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter))


def test_first_step_copies_then_the_average_follows() -> None:
    teacher, backbone, heads = attached(momentum=0.9)
    move(backbone)
    teacher.update(Encoder(backbone, heads))
    twin = copy.deepcopy(list(backbone.parameters()) + list(heads['task'].parameters()))
    followed = list(teacher.backbone.parameters()) + list(teacher.heads.parameters())
    for step in range(4):
        for expected, found in zip(twin, followed, strict=True):
            torch.testing.assert_close(found, expected, msg=f'step {step}')
        move(backbone)
        move(heads['task'])
        teacher.update(Encoder(backbone, heads))
        student = [*backbone.parameters(), *heads['task'].parameters()]
        twin = [0.9 * t + 0.1 * s for t, s in zip(twin, student, strict=True)]


def test_batch_statistics_are_its_own() -> None:
    teacher, backbone, heads = attached()
    teacher.update(Encoder(backbone, heads))
    backbone.train()(torch.randn(2, 3, 1, 2, 2))
    teacher.update(Encoder(backbone, heads))
    assert teacher.backbone[1].running_mean.abs().sum() == 0
    assert backbone[1].running_mean.abs().sum() > 0


@pytest.mark.parametrize(('mode', 'expected'), [('train', True), ('eval', False)])
def test_stated_mode_holds_for_all_of_it(mode: str, expected: bool) -> None:
    teacher, _, _ = attached(mode=mode)
    parent = nn.ModuleList([teacher])
    parent.train()
    assert {m.training for m in teacher.modules()} == {expected}
    parent.eval()
    assert {m.training for m in teacher.modules()} == {False}


def test_update_interval_skips_steps() -> None:
    teacher, backbone, heads = attached(momentum=0.0, update_interval=2)
    teacher.update(Encoder(backbone, heads))
    first = copy.deepcopy(teacher.backbone[0].weight)
    move(backbone)
    teacher.update(Encoder(backbone, heads))
    assert torch.equal(teacher.backbone[0].weight, first)
    teacher.update(Encoder(backbone, heads))
    assert torch.equal(teacher.backbone[0].weight, backbone[0].weight)


def test_a_loaded_teacher_is_not_overwritten() -> None:
    teacher, backbone, heads = attached(momentum=1.0)
    teacher.update(Encoder(backbone, heads))
    saved = copy.deepcopy(teacher.state_dict())
    other, backbone2, heads2 = attached(momentum=1.0)
    other.load_state_dict(saved)
    other.update(Encoder(backbone2, heads2))
    assert torch.equal(other.backbone[0].weight, saved['backbone.0.weight'])


def test_a_teacher_without_weights_in_the_checkpoint_copies_the_loaded_student() -> (
    None
):
    teacher, backbone, heads = attached()
    move(backbone)
    teacher.load_state_dict({}, strict=False)
    teacher.update(Encoder(backbone, heads))
    assert torch.equal(teacher.backbone[0].weight, backbone[0].weight)


def test_never_trained() -> None:
    teacher, _, _ = attached()
    assert not any(p.requires_grad for p in teacher.parameters())
    with pytest.raises(UserError, match=r'momentum 1\.5'):
        MomentumTeacher(momentum=1.5)


def test_the_teacher_of_other_tasks_does_not_count() -> None:
    source, backbone, heads = attached()
    source.update(Encoder(backbone, heads))
    saved = {k: v.clone() + 1 for k, v in source.state_dict().items()}
    teacher, backbone, _ = attached()
    heads = {'other': nn.Linear(4, 2)}
    teacher.build(Encoder(backbone, heads))
    move(backbone)
    move(heads['other'])
    teacher.load_state_dict(saved, strict=False)
    teacher.update(Encoder(backbone, heads))
    assert torch.equal(teacher.backbone[0].weight, backbone[0].weight)
    assert torch.equal(teacher.heads['other'].weight, heads['other'].weight)
