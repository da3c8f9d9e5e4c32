"""Every kind is told from every other, by names and shapes alone."""

import pytest
import torch

from mmkd.errors import UserError
from mmkd.zoo.convert.kinds import KINDS
from mmkd.zoo.convert.reading import read_source
from mmkd.zoo.convert.recognition import claim, recognise
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
