import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mmkd.errors import UserError
from mmkd.models.human_parsers.weights import build_network, read_tensors


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))


def wrapped(state: dict) -> dict:
    return {'epoch': 3, 'state_dict': {f'module.{k}': v for k, v in state.items()}}


def test_every_form_fills_the_network(tmp_path: Path) -> None:
    state = network().state_dict()
    torch.save(state, tmp_path / 'bare.pth')
    torch.save(wrapped(state), tmp_path / 'wrapped.pth')
    np.savez(tmp_path / 'plain.npz', **{k: v.numpy() for k, v in state.items()})
    for name in ('bare.pth', 'wrapped.pth', 'plain.npz'):
        ours = build_network(network, str(tmp_path / name), 'x', 'x')
        assert all(torch.equal(v, state[k]) for k, v in ours.state_dict().items()), name


def test_numpy_values_beside_the_weights_pass(tmp_path: Path) -> None:
    meta = {'sigmas': np.arange(17.0), 'seed': np.int64(3), 'time': 'now'}
    path = tmp_path / 'pose.pth'
    torch.save({'state_dict': {'w': torch.ones(2)}, 'meta': meta}, path)
    assert read_tensors(path)['w'].tolist() == [1, 1]


class Evil:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path(MARK),))


MARK = 'ran'


def test_objects_beside_the_weights_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({'state_dict': {'w': torch.ones(2)}, 'meta': Evil()}, 'evil.pth')
    (tmp_path / 'evil.npz').write_bytes(pickle.dumps(Evil()))
    np.savez('object.npz', w=np.array([Evil()], dtype=object))
    for name in ('evil.pth', 'evil.npz', 'object.npz'):
        with pytest.raises(UserError, match=name):
            read_tensors(Path(name))
    assert not Path(MARK).exists()


@pytest.mark.parametrize('name', ['cut.pth', 'cut.npz'])
def test_damaged_files_are_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    state = {'w': torch.rand(500)}
    torch.save(state, path) if path.suffix == '.pth' else np.savez(path, **state)
    whole = path.read_bytes()
    for size in (0, 40, len(whole) // 2, len(whole) - 9):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError, match=name):
            read_tensors(path)


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    path = tmp_path / 'a.pth'
    state = network().state_dict()
    cases = {
        r'lacks: 0\.bias': {k: v for k, v in state.items() if k != '0.bias'},
        'has beyond the config: extra': {**state, 'extra': torch.ones(1)},
        r'in another shape: 0\.bias': {**state, '0.bias': torch.ones(5)},
    }
    for message, content in cases.items():
        torch.save(wrapped(content), path)
        with pytest.raises(UserError, match=rf'pose checkpoint .*a\.pth .*{message}'):
            build_network(network, str(path), 'the zoo', 'pose')
    torch.save({'state_dict': {}}, path)
    with pytest.raises(UserError, match='holds no named tensors'):
        build_network(network, str(path), 'the zoo', 'pose')
    with pytest.raises(
        UserError, match=r'pose checkpoint b\.pth .*Get it from the zoo'
    ):
        build_network(network, 'b.pth', 'the zoo', 'pose')
