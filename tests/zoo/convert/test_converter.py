"""Official weights through a file and the converter give the official features."""

import json
import os
import runpy

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import load_checkpoint

from mmkd.errors import UserError
from mmkd.files import sha256
from mmkd.models.input_convention import CONVENTIONS
from mmkd.registry import MODELS
from mmkd.zoo.base_networks import model_configs
from mmkd.zoo.convert.converter import convert_checkpoint
from mmkd.zoo.convert.kinds import KINDS
from tests.golden import load_golden
from tests.shared_files import ROOT
from tests.zoo.convert.official_files import GOLDENS, WRITERS, auxskd_primary, blank

SLOW = pytest.mark.slow
ONE_KIND_PER_NETWORK = [
    pytest.param('vcop-c3d', marks=SLOW),
    'pcl-r3d',
    pytest.param('pcl-r3d18', marks=SLOW),
    pytest.param('pcl-r2plus1d18', marks=SLOW),
    'auxskd-r2plus1d',
    'pace-s3dg',
    'rspnet-s3dg',
    pytest.param('rspnet-resnet18', marks=SLOW),
    pytest.param('torchvision-r3d18', marks=SLOW),
    'torchvision-mc3-18',
    pytest.param('torchvision-r2plus1d18', marks=SLOW),
]


def recognizer(network):
    """A stock Recognizer3D of the network's config."""
    config = Config.fromfile(model_configs() / f'{network}.py')
    head = {
        'type': 'I3DHead',
        'num_classes': 5,
        'in_channels': config.feature_channels,
        'spatial_type': 'avg',
    }
    model = {
        'type': 'Recognizer3D',
        'backbone': config.model.backbone,
        'cls_head': head,
    }
    with DefaultScope.overwrite_default_scope('mmaction'):
        return MODELS.build(model).eval()


@pytest.mark.parametrize('name', ONE_KIND_PER_NETWORK)
def test_official_weights_give_the_official_features(name, tmp_path):
    kind = KINDS[name]
    golden = load_golden(GOLDENS[kind.network.config])
    trunk = golden.state_dict()
    torch.save(WRITERS[name.split('-')[0]](trunk), tmp_path / 'official.pth')
    done = convert_checkpoint('auto', tmp_path / 'official.pth', tmp_path / 'ours.pth')
    assert done.kind is kind
    meta = torch.load(tmp_path / 'ours.pth', weights_only=True)['meta']
    assert meta['input_convention'].get('residual', False) == name.startswith('pcl')

    model = recognizer(kind.network.config)
    load_checkpoint(model, str(tmp_path / 'ours.pth'))
    with torch.no_grad():
        last = model.extract_feat(golden.inputs('b')[:, None], stage='backbone')[0]
    golden.check('b.feature', last.mean((2, 3, 4)))

    trunk_size = sum(not key.startswith('fc.') for key in trunk)
    assert len(done.match.taken) == len(done.match.state_dict) == trunk_size
    assert done.match.missing == ()


def test_meta_is_plain_and_says_the_pixels(tmp_path):
    golden = load_golden('mc3_18_torchvision')
    source, output = tmp_path / 'official.pth', tmp_path / 'folder' / 'ours.pth'
    torch.save({k: v.clone() for k, v in blank(golden.spec).items()}, source)
    convert_checkpoint('torchvision-mc3-18', source, output)
    meta = torch.load(output, weights_only=True)['meta']
    assert json.loads(json.dumps(meta)) == meta
    assert meta['input_convention'] == CONVENTIONS['kinetics'].as_dict()
    assert meta['source_kind'] == 'torchvision-mc3-18'
    assert meta['source_sha256'] == sha256(source)
    assert meta['network'] == 'mc3_18'
    # Not one tensor drags a larger storage along.
    assert output.stat().st_size < 1.02 * source.stat().st_size


@pytest.mark.parametrize('trained_by', ['primary', 'auxiliary'])
def test_both_phases_of_auxskd(trained_by, tmp_path):
    trunk = load_golden('r21d_vcop').state_dict()
    write = auxskd_primary if trained_by == 'primary' else WRITERS['auxskd']
    source = tmp_path / 'official.pth'
    torch.save(write(trunk), source)
    done = convert_checkpoint('auxskd-r2plus1d', source, tmp_path / 'ours.pth')
    heads = 2 if trained_by == 'primary' else 1 + 1 + 1 + len(trunk) + 1
    assert len(done.match.dropped) == heads
    ours = torch.load(tmp_path / 'ours.pth', weights_only=True)['state_dict']
    official = trunk['conv5.block1.conv2.temporal_conv.weight']
    assert torch.equal(ours['backbone.layer4.0.conv2.conv.conv_t.weight'], official)
    assert f'{heads} dropped' in str(done) and '0 missing' in str(done)


class Payload:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (os.mkdir, (str(self.target),))


def test_code_in_a_file_does_not_run(tmp_path):
    source, output = tmp_path / 'evil.pth', tmp_path / 'ours.pth'
    torch.save({'state_dict': {}, 'x': Payload(tmp_path / 'ran')}, source)
    with pytest.raises(UserError, match=r'pickled objects \(posix\.mkdir\).*--trust'):
        convert_checkpoint('auto', source, output)
    assert not (tmp_path / 'ran').exists()
    assert not output.exists()


def test_trust_reads_what_is_refused_otherwise(tmp_path):
    weights = {k: v.clone() for k, v in blank(load_golden('r3d_vcop').spec).items()}
    source, output = tmp_path / 'odd.pth', tmp_path / 'ours.pth'
    path_object = tmp_path  # a pathlib.Path, as some scripts store it
    torch.save({'state_dict': weights, 'log_dir': path_object}, source)
    with pytest.raises(UserError, match='pathlib'):
        convert_checkpoint('vcop-r3d', source, output)
    done = convert_checkpoint('vcop-r3d', source, output, trust=True)
    assert len(done.match.taken) == 72
    assert output.exists()


@pytest.mark.parametrize('legacy', [True, False])
@pytest.mark.parametrize('kept', [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_file(kept, legacy, tmp_path):
    source, output = tmp_path / 'cut.pth', tmp_path / 'ours.pth'
    weights = {f'layer{n}.weight': torch.randn(10, 10) for n in range(30)}
    torch.save(weights, source, _use_new_zipfile_serialization=not legacy)
    source.write_bytes(source.read_bytes()[: int(kept * source.stat().st_size)])
    with pytest.raises(UserError, match=r'damaged or cut short\. Fetch it again'):
        convert_checkpoint('auto', source, output)
    assert not output.exists()


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ([torch.zeros(3)], 'holds no named tensors'),
        ({'state_dict': {}}, 'holds no named tensors'),
        (
            {'features.0.weight': torch.zeros(3)},
            r'no known network.*features\.\* \(1\)',
        ),
    ],
)
def test_other_files(content, message, tmp_path):
    source, output = tmp_path / 'other.pth', tmp_path / 'ours.pth'
    torch.save(content, source)
    with pytest.raises(UserError, match=message):
        convert_checkpoint('auto', source, output)
    assert not output.exists()


def test_paths_and_names_that_are_wrong(tmp_path):
    source, output = tmp_path / 'there.pth', tmp_path / 'ours.pth'
    torch.save({'x': torch.zeros(1)}, source)
    with pytest.raises(UserError, match=r"unknown kind 'r3d'\. Choose auto or one of"):
        convert_checkpoint('r3d', source, output)
    with pytest.raises(UserError, match='is the source itself'):
        convert_checkpoint('auto', source, tmp_path / '.' / 'there.pth')
    with pytest.raises(UserError, match='does not exist'):
        convert_checkpoint('auto', tmp_path / 'nowhere.pth', output)
    with pytest.raises(UserError, match='does not exist'):
        convert_checkpoint('auto', tmp_path, output)
    assert not output.exists()


def test_command_line(tmp_path, monkeypatch, capsys):
    weights = blank(load_golden('r3d_vcop').spec)
    torch.save(WRITERS['vcop'](weights), tmp_path / 'official.pth')
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr('sys.argv', ['convert_checkpoint.py', *arguments])
        runpy.run_path(str(ROOT / 'tools/convert_checkpoint.py'), run_name='__main__')

    run('auto', 'official.pth', 'ours.pth')
    assert capsys.readouterr().out.startswith(
        'vcop-r3d: 72 tensors taken, 3 dropped (fc7.* (2), fc8.* (1)), 0 missing; '
        'pixels rgb01'
    )
    with pytest.raises(SystemExit, match='2'):
        run('pace-r3d', 'official.pth', 'theirs.pth')
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith('error: official.pth: this is no pace-r3d')
    assert not (tmp_path / 'theirs.pth').exists()
