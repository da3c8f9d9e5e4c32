from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook

from mmkd.engine.hooks import LoadReportHook, TeacherHashHook
from mmkd.errors import UserError
from tests.distill.tiny import distiller, recognizer, save, teacher
from tests.engine.hooks.tiny_runner import tiny_runner


def test_the_hash_is_logged_at_the_start_and_the_same_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(tmp_path / 'teacher.pth', recognizer(width=2))
    model = distiller(teacher=teacher(recognizer(width=2), checkpoint=path))
    first = model.teacher.hash()
    hook = TeacherHashHook()
    tiny_runner(tmp_path, hook, epochs=1, model=model, log_level='INFO').train()
    shown = capsys.readouterr().out
    assert f'teacher checkpoint {path}: frozen, hash {first}' in shown
    assert f'teacher checkpoint {path}: unchanged, hash {first}' in shown
    checkpoint = torch.load(tmp_path / 'epoch_1.pth', weights_only=True)
    assert checkpoint['meta']['teacher_hash'] == first
    assert not [k for k in checkpoint['state_dict'] if 'teacher' in k]


def test_a_teacher_that_was_changed_is_found(tmp_path: Path) -> None:
    class Meddle(Hook):
        def after_train_epoch(self, runner: object) -> None:
            model.teacher.model.backbone.conv1.conv.weight[0, 0, 0, 0, 0] += 1e-3

    model = distiller()
    with pytest.raises(RuntimeError, match='a frozen teacher changed'):
        tiny_runner(
            tmp_path, Meddle(), TeacherHashHook(), epochs=1, model=model
        ).train()


def test_a_run_is_not_resumed_with_another_teacher(tmp_path: Path) -> None:
    hooks = LoadReportHook(), TeacherHashHook()
    tiny_runner(tmp_path, *hooks, epochs=1, model=distiller()).train()
    options = {'resume': True, 'load_from': str(tmp_path / 'epoch_1.pth')}
    same = tiny_runner(tmp_path, *hooks, epochs=2, model=distiller(), **options)
    same.train()
    assert same.iter == 4
    other = distiller(teacher=teacher(recognizer(width=3)))
    with pytest.raises(UserError, match='the run to resume had a teacher of hash'):
        tiny_runner(tmp_path, *hooks, epochs=2, model=other, **options).train()


def test_a_model_without_a_teacher_is_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_runner(tmp_path, TeacherHashHook(), epochs=1, log_level='INFO').train()
    assert 'hash' not in capsys.readouterr().out
