import json
import runpy

import pytest
import torch

from mmkd.errors import UserError
from mmkd.models.input_convention import CONVENTIONS
from mmkd.zoo.base_networks import build_backbone, model_configs
from mmkd.zoo.export import _compare, export, load_clip_network
from tests.shared_files import ROOT

CLIP = (8, 32, 32)
CONVENTION = CONVENTIONS['bgr255'].as_dict()


@pytest.fixture
def trained(tmp_path):
    """Config and checkpoint of a tiny recognizer whose every value is drawn."""
    config = tmp_path / 'recognizer.py'
    config.write_text(
        f"_base_ = '{model_configs() / 'r2plus1d_tiny.py'}'\n"
        "model = dict(cls_head=dict(type='I3DHead', num_classes=5, in_channels=128,\n"
        "    spatial_type='avg'))\n"
    )
    torch.manual_seed(0)
    weights = {
        f'backbone.{name}': value + 0.1 * torch.rand_like(value)
        for name, value in build_backbone('r2plus1d_tiny').state_dict().items()
        if value.is_floating_point()
    }
    weights['cls_head.fc_cls.weight'] = torch.randn(5, 128)
    weights['cls_head.fc_cls.bias'] = torch.randn(5)
    weights['tasks.pace.fc.weight'] = torch.zeros(4, 128)
    meta = {'input_convention': CONVENTION, 'source_kind': 'pace-r2plus1d', 'seed': 3}
    checkpoint = tmp_path / 'trained.pth'
    torch.save({'state_dict': weights, 'meta': meta}, checkpoint)
    return config, checkpoint


def test_bare_weights_and_what_belongs_to_them(trained, tmp_path):
    export(*trained, tmp_path / 'bare.pth', 'backbone', clip=CLIP)
    bare = torch.load(tmp_path / 'bare.pth', weights_only=True)
    source = torch.load(trained[1], weights_only=True)['state_dict']
    counters = {k for k in bare['state_dict'] if k.endswith('num_batches_tracked')}
    assert bare['state_dict'].keys() - counters == {
        key for key in source if key.startswith('backbone.')
    }
    key = 'backbone.layer4.0.conv2.bn.running_mean'
    assert torch.equal(bare['state_dict'][key], source[key])
    assert bare['meta'] == {
        'input_convention': CONVENTION,
        'source_kind': 'pace-r2plus1d',
    }


@pytest.mark.parametrize('output', ['feature', 'map', 'scores'])
def test_torchscript(output, trained, tmp_path):
    export(*trained, tmp_path / 'x.pt', 'torchscript', output, CLIP)
    extra = {'meta.json': ''}
    script = torch.jit.load(tmp_path / 'x.pt', _extra_files=extra)
    assert json.loads(extra['meta.json'])['input_convention'] == CONVENTION
    network, _ = load_clip_network(*trained, output)
    clips = torch.randn(5, 3, *CLIP)
    with torch.no_grad():
        torch.testing.assert_close(script(clips), network(clips))
    shapes = {'feature': (5, 128), 'map': (5, 128, 1, 2, 2), 'scores': (5, 5)}
    assert script(clips).shape == shapes[output]


@pytest.mark.slow
def test_onnx(trained, tmp_path):
    runtime = pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    export(*trained, tmp_path / 'x.onnx', 'onnx', 'scores', CLIP)
    assert [p.name for p in tmp_path.glob('*.onnx*')] == ['x.onnx']
    session = runtime.InferenceSession(str(tmp_path / 'x.onnx'))
    props = session.get_modelmeta().custom_metadata_map
    assert json.loads(props['input_convention']) == CONVENTION
    network, _ = load_clip_network(*trained, 'scores')
    for batch in (1, 5):
        clips = torch.randn(batch, 3, *CLIP)
        (scores,) = session.run(None, {'clips': clips.numpy()})
        with torch.no_grad():
            torch.testing.assert_close(torch.from_numpy(scores), network(clips))


NETWORKS = sorted(p.stem for p in model_configs().glob('*.py') if 'tiny' not in p.stem)


@pytest.mark.slow
@pytest.mark.parametrize('network', NETWORKS)
def test_every_network_in_both_forms(network, tmp_path):
    runtime = pytest.importorskip('onnxruntime')
    torch.manual_seed(0)
    backbone = build_backbone(network)
    state = {f'backbone.{k}': v for k, v in backbone.state_dict().items()}
    torch.save({'state_dict': state, 'meta': {}}, tmp_path / 'net.pth')
    config, clip = model_configs() / f'{network}.py', (8, 64, 64)
    for name in ('torchscript', 'onnx'):
        export(config, tmp_path / 'net.pth', tmp_path / name, name, clip=clip)
    script = torch.jit.load(tmp_path / 'torchscript')
    session = runtime.InferenceSession(str(tmp_path / 'onnx'))
    backbone.eval()
    for batch in (1, 3):
        clips = torch.randn(batch, 3, *clip)
        with torch.no_grad():
            eager = backbone(clips).mean((2, 3, 4))
            scripted = script(clips)
        (exported,) = session.run(None, {'clips': clips.numpy()})
        bound = 1e-4 * eager.abs().max().item()
        torch.testing.assert_close(scripted, eager, rtol=1e-4, atol=bound)
        torch.testing.assert_close(
            torch.from_numpy(exported), eager, rtol=1e-4, atol=bound
        )


def test_onnx_without_its_packages(trained, tmp_path, monkeypatch):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(UserError, match='needs onnx, onnxscript, onnxruntime'):
        export(*trained, tmp_path / 'x.onnx', 'onnx', clip=CLIP)
    assert not (tmp_path / 'x.onnx').exists()


def test_a_wrong_export_is_found(trained):
    network, _ = load_clip_network(*trained)
    clips = torch.randn(2, 3, *CLIP)
    with torch.no_grad():
        _compare(network, lambda x: network(x) * (1 + 1e-5), clips, 'ONNX')
        with pytest.raises(UserError, match=r'ONNX file differs .* by 1\.0e-03 of'):
            _compare(network, lambda x: network(x) * (1 + 1e-3), clips, 'ONNX')
        with pytest.raises(UserError, match='differs from the network by nan'):
            _compare(network, lambda x: network(x) * torch.nan, clips, 'ONNX')


def test_what_does_not_fit_is_refused(trained, tmp_path):
    config, checkpoint = trained
    base = model_configs() / 'r2plus1d_tiny.py'
    with pytest.raises(UserError, match='has no cls_head'):
        export(base, checkpoint, tmp_path / 'x.pt', 'torchscript', 'scores')
    with pytest.raises(UserError, match=r'no_such\.py does not exist'):
        export(tmp_path / 'no_such.py', checkpoint, tmp_path / 'x.pt', 'torchscript')
    with pytest.raises(UserError, match='the backbone has another shape'):
        export(model_configs() / 'r2plus1d.py', checkpoint, tmp_path / 'x', 'backbone')
    half = torch.load(checkpoint, weights_only=True)
    del half['state_dict']['backbone.layer4.0.conv2.bn.weight']
    torch.save(half, tmp_path / 'half.pth')
    with pytest.raises(UserError, match='is not of this very model'):
        export(config, tmp_path / 'half.pth', tmp_path / 'x.pt', 'torchscript')
    assert not (tmp_path / 'x.pt').exists()


def test_command_line(trained, tmp_path, monkeypatch, capsys):
    arguments = [*map(str, trained), str(tmp_path / 'x.pt'), '--format', 'torchscript']
    arguments += ['--output', 'scores', '--clip', *map(str, CLIP)]
    monkeypatch.setattr('sys.argv', ['export.py', *arguments])
    runpy.run_path(str(ROOT / 'tools/export.py'), run_name='__main__')
    assert capsys.readouterr().out == f'written to {tmp_path / "x.pt"}\n'
    assert (tmp_path / 'x.pt').stat().st_size > 1e6
