import os

import pytest
from mmengine.config import Config

from mmkd.engine.preflight.work_dir import check_work_dir, overwriting_warning
from mmkd.errors import UserError


def test_a_folder_is_made_and_left_empty(tmp_path):
    check_work_dir(str(tmp_path / 'a' / 'b'))
    assert list((tmp_path / 'a/b').iterdir()) == []


def test_a_path_that_takes_no_folder(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match='file/w cannot be written to') as caught:
        check_work_dir(str(tmp_path / 'file/w'))
    assert '--work-dir' in caught.value.remedy


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write anywhere')
def test_a_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match='cannot be written to'):
        check_work_dir(str(tmp_path))


def test_a_full_disk(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('tempfile.TemporaryFile', fail)
    with pytest.raises(UserError, match='No space left'):
        check_work_dir(str(tmp_path))


def test_a_run_over_another_one_is_told(tmp_path):
    cfg = Config({'work_dir': str(tmp_path), 'resume': False})
    assert overwriting_warning(cfg) is None
    for name in ('epoch_1.pth', 'interrupted.pth'):
        (tmp_path / name).touch()
    line = overwriting_warning(cfg)
    assert line is not None and f'{tmp_path} holds interrupted.pth and 1 more' in line
    assert '--resume' in line and '--work-dir' in line
    cfg.resume = True
    assert overwriting_warning(cfg) is None
