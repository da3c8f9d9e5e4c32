"""Checkpoints of somebody else: no text in them runs, none takes all memory."""

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.infer import BaseInferencer
from mmengine.runner.checkpoint import (
    CheckpointLoader,
    _load_checkpoint,
    _load_checkpoint_with_prefix,
    load_checkpoint,
)

from mmkd.compat.checkpoints import load_url
from mmkd.errors import UserError
from mmkd.models.human_parsers.weights import read_tensors
from mmkd.tensor_check import UnreadableError
from mmkd.tensor_files import read_arrays
from mmkd.weight_files import read_source, read_weights, to_safetensors
from tests.engine.toy import ToyNet, toy_runner


def trained(folder: Path) -> dict[str, Any]:
    """Train for an epoch; return its checkpoint."""
    toy_runner(folder, epochs=1).train()
    return torch.load(folder / 'epoch_1.pth', weights_only=True)


@pytest.fixture
def planted(tmp_path):
    """A marker, and a config that plants it when it is executed."""
    marker = tmp_path / 'marker'
    text = f'open({str(marker)!r}, "w").write("ran")\ngpu_ids = [0]\n'
    Config.fromstring(text, '.py')
    assert marker.exists()  # the check below can fail
    marker.unlink()
    return marker, text


def with_text(checkpoint: dict[str, Any], text: str) -> dict[str, Any]:
    meta = {**checkpoint['meta'], 'config': text, 'cfg': text}
    information = {**checkpoint['message_hub']['runtime_info'], 'cfg': text}
    hub = {**checkpoint['message_hub'], 'runtime_info': information}
    return {**checkpoint, 'meta': meta, 'message_hub': hub}


def test_no_text_of_a_checkpoint_runs(tmp_path, planted):
    marker, text = planted
    path = tmp_path / 'hostile.pth'
    torch.save(with_text(trained(tmp_path / 'run'), text), path)
    on = toy_runner(tmp_path / 'on', epochs=2, load_from=str(path), resume=True)
    on.train()
    assert on.iter == 8 and not marker.exists()
    # What is saved next tells of this run, not of that one.
    saved = torch.load(tmp_path / 'on' / 'epoch_2.pth', weights_only=True)
    assert saved['message_hub']['runtime_info']['cfg'] == on.cfg.pretty_text
    toy_runner(tmp_path / 'from', epochs=1, load_from=str(path)).train()
    load_checkpoint(ToyNet(), str(path))
    loads = (
        _load_checkpoint(str(path)),
        CheckpointLoader.load_checkpoint(str(path)),
    )
    for content in loads:
        assert text not in str(content)
    assert not marker.exists()


def test_an_inferencer_runs_no_text_of_a_checkpoint(tmp_path, planted):
    marker, text = planted
    path = tmp_path / 'hostile.pth'
    hub = {'runtime_info': {'cfg': text}}
    state = ToyNet().state_dict()
    for content in (
        {'state_dict': state, 'message_hub': hub, 'meta': {}},
        {'state_dict': state, 'meta': {'cfg': text}},
    ):
        torch.save(content, path)
        with pytest.raises(ValueError, match='Cannot find the config'):
            BaseInferencer._init_model(None, Config(), str(path))
        assert not marker.exists()


@pytest.mark.parametrize(
    ('listed', 'fits'),
    [
        ('gpu_ids = [0]', True),
        ('gpu_ids = range(0, 1)', True),
        ('gpu_ids = range(4)', False),
        ('model = dict()\ngpu_ids = [\n    0, 1\n]\n', False),
        ('gpu_ids = list(map(print, "ab"))', True),  # no data: not compared
    ],
)
def test_the_number_of_gpus_is_still_compared(tmp_path, listed, fits):
    path = tmp_path / 'old.pth'
    checkpoint = trained(tmp_path / 'run')
    checkpoint['meta']['config'] = listed
    torch.save(checkpoint, path)
    runner = toy_runner(tmp_path / 'on', epochs=2, load_from=str(path), resume=True)
    if fits:
        runner.train()
        assert runner.iter == 8
    else:
        with pytest.raises(RuntimeError, match='Number of GPUs'):
            runner.train()


class Call:
    """Pickles as a call."""

    def __init__(self, function, *args) -> None:
        self.call = function, args

    def __reduce__(self):
        return self.call


def saved(content: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def doubled(times: int = 60) -> list[Any]:
    nest: list[Any] = []
    for _ in range(times):
        nest = [nest, nest]
    return nest


def deep(times: int = 2000) -> list[Any]:
    nest: list[Any] = []
    for _ in range(times):
        nest = [nest]
    return nest


def tuples(times: int = 60) -> tuple[Any, ...]:
    nest: tuple[Any, ...] = ()
    for _ in range(times):
        nest = (nest, nest)
    return nest


def slow_key() -> bytes:
    """A dict whose key takes for ever to hash; written by hand, to be quick here."""
    twice = b''.join(b'q' + bytes([n]) + b'h' + bytes([n]) + b'\x86' for n in range(60))
    return repacked(b'\x80\x02})' + twice + b'K\x01s.')


def repacked(data_pickle: bytes) -> bytes:
    """An archive as of torch.save around a pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        archive.writestr('x/data.pkl', data_pickle)
        archive.writestr('x/version', b'3\n')
    return file.getvalue()


def large_record() -> bytes:
    """A storage that says it is larger than what is there."""
    data = saved({'w': torch.zeros(9)})
    return data.replace(b'K\x09t', b'K\x63t').replace(b'K\x09\x85', b'K\x63\x85')


def old_and_large() -> bytes:
    data = saved({'w': torch.zeros(9)}, _use_new_zipfile_serialization=False)
    assert data.count(struct.pack('<q', 9)) == 1
    return data.replace(struct.pack('<q', 9), struct.pack('<q', 9 * 10**9))


def compressed() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('x/data.pkl', bytes(10**6))
    return file.getvalue()


HOSTILE = {
    'a length': lambda: saved(Call(bytearray, 9 * 10**9)),
    'a storage': lambda: saved(Call(torch.FloatStorage, 9 * 10**9)),
    'a tensor class': lambda: saved(Call(torch.FloatTensor, 9 * 10**9)),
    'stride 0': lambda: saved({'w': torch.zeros(1).expand(9 * 10**9)}),
    'many expanded': lambda: saved(
        [torch.zeros(1).expand(260_000) for _ in range(400)]
    ),
    'a longer storage': large_record,
    'a longer storage of old': old_and_large,
    'shared lists': lambda: saved({'state_dict': {}, 'meta': doubled()}),
    'nested lists': lambda: repacked(b'\x80\x02' + b']' * 9999 + b'a' * 9998 + b'.'),
    'a slow key': slow_key,
    'meta tensors': lambda: saved({'w': torch.zeros(2, device='meta')}),
    'sparse': lambda: saved({'w': torch.eye(3).to_sparse()}),
    'compressed': compressed,
    'no pickle': lambda: repacked(b'\x80\x02' + os.urandom(50)),
    'a counting pickle': lambda: b'\x80\x02r\xff\xff\xff\xfeK\x01.',
    'bytearray8': lambda: repacked(b'\x80\x05\x96' + struct.pack('<q', 9 * 10**9)),
    'nothing': lambda: b'',
    'text': lambda: b'<html>not found</html>',
    'a plain pickle': lambda: pickle.dumps({'w': np.zeros(3)}, protocol=2),
}


@pytest.mark.parametrize('name', HOSTILE)
def test_every_reader_of_checkpoints_refuses_in_one_line(tmp_path, name):
    path = tmp_path / 'hostile.pth'
    path.write_bytes(HOSTILE[name]())
    assert path.stat().st_size < 300_000
    readers = (
        lambda: _load_checkpoint(str(path), map_location='cpu'),
        lambda: _load_checkpoint_with_prefix('backbone', str(path)),
        lambda: load_checkpoint(ToyNet(), str(path)),
        lambda: load_url(path.as_uri(), str(tmp_path)),
        lambda: read_source(path),
        lambda: read_weights(path),
        lambda: read_tensors(path),
    )
    for reader in readers:
        with pytest.raises((UserError, UnreadableError, pickle.UnpicklingError)) as it:
            reader()
        assert '\n' not in str(it.value) and len(str(it.value)) < 500


def npz(shape: tuple[int, ...], data: bytes = b'', pack: int = 0) -> bytes:
    file, header = io.BytesIO(), io.BytesIO()
    facts = {'descr': '<f4', 'fortran_order': False, 'shape': shape}
    np.lib.format.write_array_header_1_0(header, facts)
    with zipfile.ZipFile(file, 'w', pack) as archive:
        archive.writestr('w.npy', header.getvalue() + data)
    return file.getvalue()


@pytest.mark.parametrize(
    'content',
    [
        npz((10**12,)),
        npz((-1,), b'1234'),
        npz((3, 10**30)),
        npz((2,), bytes(12)),
        b'PK\x03\x04',
    ],
)
def test_headers_of_npz_are_compared_with_what_is_there(tmp_path, content):
    path = tmp_path / 'w.npz'
    path.write_bytes(content)
    with pytest.raises(UserError, match=r'w\.npz is damaged'):
        read_tensors(path)


def test_an_npz_unpacks_to_no_more_than_allowed():
    data = npz((10**6,), bytes(4 * 10**6), zipfile.ZIP_DEFLATED)
    assert len(data) < 20_000
    with pytest.raises(UnreadableError, match='unpacks to'):
        read_arrays(data, largest=10**6)
    assert read_arrays(data)['w'].shape == (10**6,)


def header_of_safetensors(text: bytes) -> bytes:
    return struct.pack('<Q', len(text)) + text


@pytest.mark.parametrize(
    'content',
    [
        b'',
        struct.pack('<Q', 2**62) + b'{}',
        header_of_safetensors(b'[1]'),
        header_of_safetensors(b'{"__metadata__": 3}'),
        header_of_safetensors(b'{"__metadata__": {"mmkd": 3}}'),
        header_of_safetensors(b'{"__metadata__": {"mmkd": "' + b'[' * 90_000 + b'"}}'),
        header_of_safetensors(b'[' * 90_000),
        header_of_safetensors(
            b'{"w": {"dtype": "F32", "shape": [9000000000], "data_offsets": [0, 4]}}'
        ),
        to_safetensors({'w': torch.ones(8)}, {})[:-1],
        to_safetensors({'w': torch.tensor([1.0, float('nan')])}, {}),
    ],
)
def test_odd_safetensors_are_one_line(tmp_path, content):
    path = tmp_path / 'odd.safetensors'
    path.write_bytes(content)
    for reader in (lambda: read_weights(path), lambda: _load_checkpoint(str(path))):
        with pytest.raises(UserError, match=r'odd\.safetensors') as caught:
            reader()
        assert '\n' not in str(caught.value) and len(str(caught.value)) < 400


def test_safetensors_with_a_meta_that_is_none(tmp_path):
    path = tmp_path / 'odd.safetensors'
    path.write_bytes(to_safetensors({'w': torch.ones(8)}, {}).replace(b'{}', b'[]'))
    content = _load_checkpoint(str(path))
    assert content['meta'] == {} and torch.equal(
        content['state_dict']['w'], torch.ones(8)
    )


def flipped(data: bytes, part: bytes) -> bytes:
    """Flip the lowest bit of the first byte of a part."""
    start = data.index(part)
    return data[:start] + bytes([data[start] ^ 1]) + data[start + 1 :]


def test_one_flipped_bit_is_noticed_at_every_load(tmp_path):
    state = OrderedDict(ToyNet().state_dict())
    state['backbone.0.weight'] = torch.full((4, 3), 1.7)
    path = tmp_path / 'flipped.pth'
    path.write_bytes(
        flipped(saved({'state_dict': state, 'meta': {}}), struct.pack('<f', 1.7) * 12)
    )
    readers = (
        lambda: toy_runner(tmp_path / 'a', load_from=str(path)).train(),
        lambda: toy_runner(tmp_path / 'b', load_from=str(path), resume=True).train(),
        lambda: load_checkpoint(ToyNet(), str(path)),
        lambda: read_source(path),
        lambda: read_weights(path),
        lambda: read_tensors(path),
    )
    for reader in readers:
        with pytest.raises(UserError, match=r'flipped\.pth is damaged'):
            reader()


def test_a_pipe_is_not_waited_for(tmp_path):
    path = tmp_path / 'pipe.pth'
    os.mkfifo(path)
    for reader in (
        lambda: _load_checkpoint(str(path)),
        lambda: read_source(path),
        lambda: read_weights(path),
        lambda: read_tensors(path),
    ):
        with pytest.raises(UserError, match='is no regular file'):
            reader()


@pytest.mark.parametrize('value', [float('nan'), float('inf'), float('-inf')])
def test_weights_that_are_no_numbers_are_refused(tmp_path, value):
    path = tmp_path / 'nan.pth'
    state = ToyNet().state_dict()
    state['backbone.0.weight'][0, 0] = value
    for content in (state, {'state_dict': state}, {'model': state}):
        torch.save(content, path)
        for reader in (
            lambda: _load_checkpoint(str(path)),
            lambda: read_source(path),
            lambda: read_tensors(path),
        ):
            with pytest.raises(UserError, match=r'NaN or infinity in backbone\.0\.we'):
                reader()


def test_a_mask_of_attention_is_let_through(tmp_path):
    path = tmp_path / 'mask.pth'
    mask = torch.zeros(4, 4).masked_fill(torch.ones(4, 4).triu(1).bool(), -torch.inf)
    torch.save({'state_dict': {'mask': mask, 'w': torch.ones(2)}}, path)
    assert torch.equal(_load_checkpoint(str(path))['state_dict']['mask'], mask)


@pytest.mark.parametrize('meta', [None, 'absent'])
def test_a_checkpoint_without_meta_loads(tmp_path, meta):
    path = tmp_path / 'plain.pth'
    content = {'state_dict': ToyNet().state_dict(), 'meta': meta}
    torch.save({k: v for k, v in content.items() if v != 'absent'}, path)
    toy_runner(tmp_path, epochs=1, load_from=str(path)).train()
    assert _load_checkpoint(str(path)).get('meta', {}) == {}


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({'state_dict': [1]}, 'no dict of tensors'),
        ({'state_dict': {1: torch.ones(1)}}, 'whose name is no text'),
        ({'state_dict': {}, 'meta': [1]}, 'a meta that is no dict'),
        ([torch.ones(1)], 'holds no dict'),
    ],
)
def test_odd_forms_are_one_line(tmp_path, content, message):
    path = tmp_path / 'odd.pth'
    torch.save(content, path)
    with pytest.raises(UserError, match=message):
        _load_checkpoint(str(path))


def test_old_files_load_as_before(tmp_path):
    state = ToyNet().state_dict()
    state['tied'] = state['cls_head.weight']
    state['view'] = torch.arange(12.0).reshape(3, 4).t()[1:, ::2]
    for number, new in enumerate((True, False)):
        path = tmp_path / f'{number}.pth'
        torch.save({'model': state}, path, _use_new_zipfile_serialization=new)
        content = _load_checkpoint(str(path), map_location='cpu')
        assert all(torch.equal(content['state_dict'][k], v) for k, v in state.items())
        assert content['state_dict']._metadata == state._metadata
