from pathlib import Path

import pytest
import torch

from mmkd.errors import UserError
from mmkd.last_checkpoint import is_whole, latest_checkpoint, point_to


def save(path: Path) -> Path:
    """Write a checkpoint."""
    torch.save({'w': torch.arange(1000.0)}, path)
    return path


def test_nothing_to_go_on_from(tmp_path):
    assert latest_checkpoint(str(tmp_path)) is None
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'gone.pth'))
    assert latest_checkpoint(str(tmp_path)) is None


def test_the_named_file_is_taken(tmp_path):
    save(tmp_path / 'epoch_2.pth')
    save(tmp_path / 'epoch_1.pth')
    point_to(str(tmp_path), str(tmp_path / 'epoch_2.pth'))
    assert (tmp_path / 'last_checkpoint').read_text() == 'epoch_2.pth'
    assert latest_checkpoint(str(tmp_path)) == str(tmp_path / 'epoch_2.pth')


@pytest.mark.parametrize('relative', [True, False])
def test_a_folder_that_was_moved(tmp_path, relative):
    old, new = tmp_path / 'old', tmp_path / 'new'
    old.mkdir()
    path = save(old / 'epoch_2.pth')
    (old / 'last_checkpoint').write_text('epoch_2.pth' if relative else str(path))
    old.rename(new)
    assert latest_checkpoint(str(new)) == str(new / 'epoch_2.pth')


def test_checkpoints_in_another_folder(tmp_path):
    (tmp_path / 'work').mkdir()
    (tmp_path / 'big').mkdir()
    path = save(tmp_path / 'big/epoch_1.pth')
    point_to(str(tmp_path / 'work'), str(path))
    assert (tmp_path / 'work/last_checkpoint').read_text() == '../big/epoch_1.pth'
    found = latest_checkpoint(str(tmp_path / 'work'))
    assert found is not None and Path(found).samefile(path)


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flip_one_bit(data: bytes) -> bytes:
    # Within the tensor, which is 4000 of some 5000 bytes.
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize('damage', [cut, flip_one_bit, lambda data: b''])
def test_the_one_before_a_damaged_one_is_taken(tmp_path, capsys, damage):
    newest = save(tmp_path / 'epoch_10.pth')
    save(tmp_path / 'epoch_9.pth')
    save(tmp_path / 'epoch_1.pth')
    save(tmp_path / 'best_acc_epoch_10.pth')  # nothing to resume from
    point_to(str(tmp_path), str(newest))
    newest.write_bytes(damage(newest.read_bytes()))
    assert not is_whole(newest)
    assert latest_checkpoint(str(tmp_path)) == str(tmp_path / 'epoch_9.pth')
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f'warning: {newest} is damaged or gone; going on from {tmp_path}/epoch_9.pth'
    )


def test_a_lost_pointer_costs_nothing(tmp_path):
    save(tmp_path / 'epoch_1.pth')
    newest = save(tmp_path / 'epoch_2.pth')
    assert latest_checkpoint(str(tmp_path)) == str(newest)
    (tmp_path / 'last_checkpoint').write_text('')
    assert latest_checkpoint(str(tmp_path)) == str(newest)


def test_nothing_whole_is_an_error_and_no_new_start(tmp_path):
    (tmp_path / 'epoch_1.pth').write_bytes(b'PK\x03\x04 and no more')
    with pytest.raises(UserError, match=r'epoch_1\.pth and all before it are damaged'):
        latest_checkpoint(str(tmp_path))


def test_the_older_form_of_torch_is_not_refused(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    torch.save({'w': torch.ones(3)}, path, _use_new_zipfile_serialization=False)
    assert is_whole(path)
