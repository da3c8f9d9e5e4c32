from pathlib import Path

from mmkd.engine.resume import latest_checkpoint


def test_nothing_to_go_on_from(tmp_path):
    assert latest_checkpoint(str(tmp_path)) is None
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'gone.pth'))
    assert latest_checkpoint(str(tmp_path)) is None


def test_the_named_file_is_taken(tmp_path):
    (tmp_path / 'epoch_2.pth').touch()
    (tmp_path / 'last_checkpoint').write_text(f'{tmp_path / "epoch_2.pth"}\n')
    assert latest_checkpoint(str(tmp_path)) == str(tmp_path / 'epoch_2.pth')


def test_a_folder_that_was_moved(tmp_path):
    old, new = tmp_path / 'old', tmp_path / 'new'
    old.mkdir()
    (old / 'epoch_2.pth').touch()
    (old / 'last_checkpoint').write_text(str(old / 'epoch_2.pth'))
    old.rename(new)
    found = latest_checkpoint(str(new))
    assert found is not None and Path(found) == new / 'epoch_2.pth'
