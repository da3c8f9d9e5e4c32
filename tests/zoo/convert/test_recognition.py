"""Every kind is told from every other, by names and shapes alone."""

import pytest
import torch

from mmkd.errors import UserError
from mmkd.weight_files import read_source
from mmkd.zoo.base_networks import build_backbone
from mmkd.zoo.convert.converter import claim, recognise
from mmkd.zoo.convert.kinds import KINDS
from tests.golden import load_golden
from tests.zoo.convert.official_files import GOLDENS, WRITERS, blank


def read(content, tmp_path):
    torch.save(content, tmp_path / 'official.pth')
    return read_source(tmp_path / 'official.pth')


def source_of(name, tmp_path):
    trunk = blank(load_golden(GOLDENS[KINDS[name].network.config]).spec)
    return read(WRITERS[name.split('-')[0]](trunk), tmp_path)


@pytest.mark.parametrize('name', KINDS)
def test_every_kind_is_recognised(name, tmp_path):
    kind, matched = recognise(source_of(name, tmp_path))
    assert kind.name == name
    assert matched.missing == ()


@pytest.mark.parametrize(
    ('said', 'is_really', 'message'),
    [
        ('vcop-r3d', 'vcop-r2plus1d', 'this is no vcop-r3d: it has no tensor .*'),
        ('vcop-r3d', 'pace-r3d', 'the file was written by .*video-pace, which uses'),
        ('pace-s3dg', 'rspnet-s3dg', 'this is no pace-s3dg: it has no tensor'),
        ('torchvision-r3d18', 'torchvision-mc3-18', r'layer2.* has shape .*1, 3, 3'),
        ('rspnet-c3d', 'vcop-c3d', 'the file was written by .*clip-order'),
    ],
)
def test_a_wrong_kind_is_refused_and_the_right_one_named(
    said, is_really, message, tmp_path
):
    with pytest.raises(UserError, match=message) as error:
        claim(source_of(is_really, tmp_path), KINDS[said])
    assert error.value.remedy == f'Convert it as {is_really}.'


def test_bare_layers_do_not_say_who_trained_them(tmp_path):
    trunk = blank(load_golden('r3d_vcop').spec)
    source = read(trunk, tmp_path)
    with pytest.raises(UserError, match=r'kind: vcop-r3d, pace-r3d, pcl-r3d\.'):
        recognise(source)
    assert len(claim(source, KINDS['pcl-r3d']).taken) == 72


BLOCK = {'.conv.': '.0.', '.bn.': '.1.'}
FACTORED = {'.conv.conv_s.': '.0.0.', '.conv.bn_s.': '.0.1.', '.conv.conv_t.': '.0.3.'}
STEM = {'conv1.conv.conv_s.': '0.0.', 'conv1.conv.bn_s.': '0.1.'}
STEM |= {'conv1.conv.conv_t.': '0.3.', 'conv1.bn.': '0.4.'}


@pytest.mark.parametrize(
    ('network', 'name', 'stem', 'layers'),
    [
        ('r3d_18', 'pcl-r3d18', {'conv1.conv.': '0.0.', 'conv1.bn.': '0.1.'}, BLOCK),
        ('r2plus1d_18', 'pcl-r2plus1d18', STEM, FACTORED | BLOCK),
    ],
)
def test_torchvision_networks_as_pcl_saves_them(network, name, stem, layers, tmp_path):
    """The children of torchvision's network as a Sequential: names are numbers."""
    own = build_backbone(network).state_dict()
    weights = {}
    for key, value in own.items():
        parts = layers if key.startswith('layer') else stem
        part = next(part for part in parts if part in key)
        official = key.replace(part, parts[part], 1).removeprefix('layer')
        weights[f'base_network.{official}'] = value
    assert {'base_network.0.0.weight', 'base_network.4.1.conv2.1.bias'} <= set(weights)
    bare = read(weights, tmp_path)
    with pytest.raises(UserError, match=r'who trained it cannot be told') as error:
        recognise(bare)
    assert error.value.remedy == f'Name its kind: {name}.'
    heads = {'fc.weight': torch.zeros(5, 1536), 'projector.mlp.0.bias': torch.zeros(9)}
    kind, matched = recognise(read({**weights, **heads}, tmp_path))
    assert kind.name == name and kind.method.pixels.residual
    assert len(matched.taken) == len(own) and matched.missing == ()
    assert set(matched.dropped) == set(heads)
    for key, value in claim(bare, kind).state_dict.items():
        assert torch.equal(value, own[key]), key


def test_an_unknown_tensor_beside_the_network_is_an_error(tmp_path):
    trunk = blank(load_golden('r3d_vcop').spec)
    source = read({**trunk, 'conv6.weight': torch.zeros(1)}, tmp_path)
    with pytest.raises(UserError, match=r'1 tensors are not of r3d: conv6\.weight'):
        claim(source, KINDS['vcop-r3d'])


def test_a_missing_tensor_is_an_error(tmp_path):
    trunk = blank(load_golden('r3d_vcop').spec)
    del trunk['conv4.block1.bn2.running_mean']
    with pytest.raises(
        UserError, match=r'not in it: layer3\.0\.conv2\.bn\.running_mean'
    ):
        claim(read(trunk, tmp_path), KINDS['vcop-r3d'])


def test_counters_that_old_pytorch_did_not_save_are_zero(tmp_path):
    trunk = blank(load_golden('r3d_vcop').spec)
    old = {k: v for k, v in trunk.items() if not k.endswith('num_batches_tracked')}
    matched = claim(read(old, tmp_path), KINDS['vcop-r3d'])
    assert len(matched.missing) == 12
    assert {int(matched.state_dict[name]) for name in matched.missing} == {0}
    assert '60 tensors taken, 0 dropped, 12 missing' in str(matched)


def test_a_network_that_is_there_twice(tmp_path):
    trunk = blank(load_golden('r3d_vcop').spec)
    both = {
        f'{side}.{name}': v for side in ('left', 'right') for name, v in trunk.items()
    }
    with pytest.raises(UserError, match=r'holds r3d 2 times: left\., right\.'):
        claim(read(both, tmp_path), KINDS['vcop-r3d'])
