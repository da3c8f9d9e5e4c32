import os
from pathlib import Path

import pytest
import torch

from mmkd.errors import UserError
from mmkd.last_checkpoint import (
    checkpoint_folder,
    is_whole,
    latest_checkpoint,
    point_to,
)


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


def test_checkpoints_in_the_folder_that_the_config_names(tmp_path):
    work, big = tmp_path / 'run', tmp_path / 'big'
    for folder in (work, big / 'run'):
        folder.mkdir(parents=True)
    path = save(big / 'run/epoch_1.pth')
    point_to(str(work), str(path))
    assert (work / 'last_checkpoint').read_text() == '../big/run/epoch_1.pth'
    hook = {'type': 'CheckpointHook', 'out_dir': str(big)}
    cfg = {'work_dir': str(work), 'default_hooks': {'checkpoint': hook}}
    found = latest_checkpoint(str(work), checkpoint_folder(cfg))
    assert found is not None and Path(found).samefile(path)
    assert checkpoint_folder({'work_dir': str(work)}) is None
    with pytest.raises(UserError, match=r'leads out of its folder, to \.\./big/run'):
        latest_checkpoint(str(work))


@pytest.mark.parametrize(
    'address',
    [
        'http://127.0.0.1:9/epoch_9.pth',
        'HTTPS://example.org/x.pth',
        's3://bucket/x.pth',
        'petrel:s3://bucket/x.pth',
        'openmmlab://x',
        'mmkd://x',
        'file:///etc/passwd',
    ],
)
def test_no_address_in_a_pointer_is_followed(tmp_path, address):
    save(tmp_path / 'epoch_1.pth')
    (tmp_path / 'last_checkpoint').write_text(address)
    with pytest.raises(UserError, match='names an address') as caught:
        latest_checkpoint(str(tmp_path))
    assert '\n' not in str(caught.value)
    if not address.startswith('s3://'):
        with pytest.raises(UserError, match='names an address'):
            latest_checkpoint(str(tmp_path), 's3://bucket')
    else:  # where the config itself has them written there
        assert latest_checkpoint(str(tmp_path), 's3://bucket') == address


@pytest.mark.parametrize('way', ['relative', 'link', 'absolute'])
def test_no_pointer_leaves_the_folder(tmp_path, capsys, way):
    work, other = tmp_path / 'work', tmp_path / 'other'
    for folder in (work, other):
        folder.mkdir()
    save(other / 'epoch_9.pth')
    (work / 'sub').symlink_to(other)
    texts = {
        'relative': '../other/epoch_9.pth',
        'link': 'sub/epoch_9.pth',
        'absolute': str(other / 'epoch_9.pth'),
    }
    (work / 'last_checkpoint').write_text(texts[way])
    if way == 'absolute':  # counts by its name, as that of a folder that was moved
        assert latest_checkpoint(str(work)) is None
        assert 'which is not there' in capsys.readouterr().err
        inside = save(work / 'epoch_9.pth')
        assert latest_checkpoint(str(work)) == str(inside)
    else:
        with pytest.raises(UserError, match='leads out of its folder'):
            latest_checkpoint(str(work))


def odd(pointer: Path, how: str) -> None:
    if how == 'a folder':
        pointer.mkdir()
    elif how == 'a pipe':
        os.mkfifo(pointer)
    else:
        contents = {'empty': b'', 'binary': b'\xff\xfe\x00', 'gone': b'epoch_7.pth'}
        pointer.write_bytes({**contents, 'control': b'epoch_1\x1b[2J.pth'}[how])


@pytest.mark.parametrize(
    ('how', 'found'),
    [
        ('empty', 'is empty'),
        ('binary', 'is no text'),
        ('control', 'is no path'),
        ('gone', 'names epoch_7.pth, which is not there'),
        ('a folder', 'is no regular file'),
        ('a pipe', 'is no regular file'),
    ],
)
def test_an_odd_pointer_is_named_and_the_furthest_state_taken(
    tmp_path, capsys, how, found
):
    for name, steps in (('epoch_1', 5), ('epoch_2', 10), ('interrupted', 12)):
        torch.save({'meta': {'iter': steps}}, tmp_path / f'{name}.pth')
    odd(tmp_path / 'last_checkpoint', how)
    expected = str(tmp_path / 'interrupted.pth')
    assert latest_checkpoint(str(tmp_path)) == expected
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f'warning: {tmp_path}/last_checkpoint {found}; going on from {expected}'
    )


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flip_one_bit(data: bytes) -> bytes:
    # Within the tensor, which is 4000 of some 5000 bytes.
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


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
