"""Files of tensors are written whole or not at all, and read as they were checked."""

import errno
import os
import resource
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn

from mmkd.errors import UserError
from mmkd.files import replacing
from mmkd.tensor_files import load_tensors, look_into, read_once, save_tensors
from mmkd.weight_files import read_weights
from mmkd.zoo.export import ClipNetwork, export_backbone, export_torchscript


@contextmanager
def full_disk(size: int):
    """Let no file grow beyond ``size`` bytes: a full disk, but for the number."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def network() -> ClipNetwork:
    """A network whose files are larger than the disk."""
    return ClipNetwork(nn.Sequential(nn.Conv3d(3, 4000, 1)), None, 'map').eval()


def save_plain(path: Path) -> None:
    save_tensors({'w': torch.zeros(20_000)}, path)


def export(write, path: Path) -> None:
    clips = torch.zeros(2, 3, 1, 1, 1)
    with replacing(path) as temporary, torch.no_grad():
        write(network(), {}, clips, temporary)


@pytest.mark.parametrize(
    'save',
    [
        save_plain,
        lambda path: export(export_backbone, path),
        lambda path: export(export_torchscript, path),
    ],
)
def test_a_full_disk_is_one_line_and_leaves_what_was_there(tmp_path, save):
    path = tmp_path / 'folder' / 'w.pth'
    save_tensors({'w': torch.ones(2)}, path)
    before = path.read_bytes()
    with (
        full_disk(20_000),
        pytest.raises(UserError, match=os.strerror(errno.EFBIG)) as caught,
    ):
        save(path)
    assert 'w.pth cannot be written' in str(caught.value)
    assert '\n' not in str(caught.value)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ['w.pth']
    save(path)
    assert path.stat().st_size > 20_000


def test_a_file_that_is_exchanged_after_it_was_checked(tmp_path, monkeypatch):
    """The SHA-256 is that of the bytes that are loaded: the file is opened once."""
    path = tmp_path / 'w.pth'
    save_tensors({'state_dict': {'w': torch.ones(2)}}, path)
    opened = []
    real = os.open
    monkeypatch.setattr(
        os, 'open', lambda name, *a, **k: (opened.append(str(name)), real(name, *a))[1]
    )
    with pytest.raises(UserError, match=f'not the {"0" * 64} published'):
        read_weights(path, '0' * 64)
    assert opened == [str(path)]
    assert torch.equal(read_weights(path)['state_dict']['w'], torch.ones(2))


def test_looking_into_a_file_builds_no_tensor(tmp_path):
    path = tmp_path / 'w.pth'
    save_tensors({'meta': {'iter': 7}, 'state_dict': {'w': torch.ones(2)}}, path)
    content = look_into(read_once(path))
    assert content['meta'] == {'iter': 7}
    assert not isinstance(content['state_dict']['w'], torch.Tensor)


@pytest.mark.parametrize('new', [True, False])
def test_all_that_is_plain_survives(tmp_path, new):
    content = {
        'dtypes': [torch.ones(2, dtype=d) for d in (torch.bool, torch.bfloat16)],
        'complex': torch.ones(2, dtype=torch.complex64),
        'empty': torch.zeros(0, 3),
        'scalar': torch.tensor(3),
        'parameter': nn.Parameter(torch.ones(2)),
        'kind': torch.float16,
        'plain': {'a': (1, 2.5, None, True, 'x', b'y'), 3: {1, 2}},
    }
    path = tmp_path / 'w.pth'
    torch.save(content, path, _use_new_zipfile_serialization=new)
    found = load_tensors(read_once(path))
    assert found['plain'] == content['plain'] and found['kind'] is torch.float16
    for name in ('complex', 'empty', 'scalar', 'parameter'):
        assert torch.equal(found[name], content[name])
    assert [x.dtype for x in found['dtypes']] == [torch.bool, torch.bfloat16]
