import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors import safe_open

from mmkd.errors import UserError
from mmkd.files import sha256
from mmkd.models.input_convention import CONVENTIONS
from mmkd.transfer.model_index import Index
from mmkd.transfer.published import resolve, weights_of
from mmkd.zoo.compatibility import backbone_fingerprint
from mmkd.zoo.publish import publish
from mmkd.zoo.verify import verify
from tests.zoo.toy_zoo import CONFIG, README, make_checkpoint, toy

Weights = dict[str, torch.Tensor]
SUFFIXES = ('.pth', '.safetensors', '.log')


def entry(name: str = 'toy') -> dict[str, Any]:
    models = yaml.safe_load(Path('configs/toy/metafile.yml').read_text())['Models']
    return next(model for model in models if model['Name'] == name)


def test_tensors_and_plain_meta_in_both_forms(project: Path, weights: Weights) -> None:
    pth, safe = publish(toy())
    content = torch.load(pth, weights_only=True)
    assert content.keys() == {'state_dict', 'meta'}
    meta = {
        'input_convention': json.loads(json.dumps(CONVENTIONS['bgr255'].as_dict())),
        'epoch': 3,
        'name': 'toy',
        'config': CONFIG,
        'parts': ['backbone', 'cls_head'],
        'stored_as': 'float32',
        'backbone': backbone_fingerprint(weights),
    }
    assert {k: v for k, v in content['meta'].items() if k != 'mmkd_version'} == meta
    assert content['state_dict'].keys() == weights.keys()
    assert all(torch.equal(content['state_dict'][k], v) for k, v in weights.items())
    with safe_open(safe, 'pt') as file:
        assert json.loads(file.metadata()['mmkd']) == content['meta']
        assert set(file.keys()) == weights.keys()
        assert all(torch.equal(file.get_tensor(k), v) for k, v in weights.items())


def test_names_and_entry_tell_the_hash(project: Path, weights: Weights) -> None:
    Path('train.log').write_text(f'wrote {project}/run\nloss 1\n')
    paths = publish(toy(log=Path('train.log')))
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert [path.name for path in paths] == [
        f'toy-{digest[:8]}{suffix}'
        for digest, suffix in zip(
            digests, ('.pth', '.safetensors', '.log'), strict=True
        )
    ]
    assert paths[2].read_text() == 'wrote ./run\nloss 1\n'
    written = entry()
    assert written['Files'] == [
        {'Name': path.name, 'Size': path.stat().st_size, 'SHA256': digest}
        for path, digest in zip(paths, digests, strict=True)
    ]
    assert written['Weights'] == f'zoo/{paths[0].name}'
    assert written['Training Log'] == f'zoo/{paths[2].name}'
    assert written['In Collection'] == 'Toy'
    assert written['Training List'] == {
        'Path': 'data/list.txt',
        'SHA256': sha256(Path('data/list.txt')),
    }
    assert entry('recipe')['Metadata'] == {
        'Architecture': 'R3D',
        'Training Data': 'Noise',
    }
    model = Index().find('toy')
    assert [file.name for file in model.weights] == [path.name for path in paths[:2]]
    assert model.log and model.log.name == paths[2].name


def test_the_same_checkpoint_gives_the_same_bytes(
    project: Path, weights: Weights
) -> None:
    first = {path.name: path.read_bytes() for path in publish(toy())}
    metafile = Path('configs/toy/metafile.yml').read_bytes()
    # The same content in another order, in a file of another name.
    content = torch.load('run/epoch_3.pth', weights_only=True)
    content['state_dict'] = dict(reversed(content['state_dict'].items()))
    torch.save(content, 'other.pth')
    second = publish(toy(checkpoint=Path('other.pth')))
    assert {path.name: path.read_bytes() for path in second} == first
    assert Path('configs/toy/metafile.yml').read_bytes() == metafile
    # And from what was published.
    for path in list(second):
        again = publish(toy(checkpoint=path))
        assert {path.name: path.read_bytes() for path in again} == first


def test_publishing_again_replaces(project: Path, weights: Weights) -> None:
    old = publish(toy())
    make_checkpoint(Path('run/epoch_3.pth'), seed=1)
    new = publish(toy())
    assert not any(path.exists() for path in old)
    assert sorted(p.name for p in Path('zoo').iterdir()) == sorted(
        ['README.md', *(path.name for path in new)]
    )
    names = [model.name for model in Index().models.values()]
    assert names == ['recipe', 'toy']


def test_half_precision(project: Path, weights: Weights) -> None:
    pth, _ = publish(toy(half=True))
    content = torch.load(pth, weights_only=True)
    name = 'backbone.conv1.conv.weight'
    stored = content['state_dict'][name]
    assert stored.dtype == torch.float16
    assert torch.equal(stored, weights[name].half())
    rounded = {
        k: v.half().float() if v.is_floating_point() else v for k, v in weights.items()
    }
    assert content['meta']['backbone'] == backbone_fingerprint(rounded)
    assert entry()['Metadata']['Stored As'] == 'float16'
    weights[name][0] = 1e6
    torch.save({'state_dict': weights}, 'large.pth')
    with pytest.raises(UserError, match=f'{name} has values that half'):
        publish(toy(checkpoint=Path('large.pth'), half=True))


def test_parts(project: Path, weights: Weights) -> None:
    pth, _ = publish(toy(parts=('backbone',)))
    content = torch.load(pth, weights_only=True)
    assert {k.split('.')[0] for k in content['state_dict']} == {'backbone'}
    assert entry()['Metadata']['Parts'] == 'backbone'


def test_one_form(project: Path, weights: Weights) -> None:
    published = publish(toy())
    (pth,) = publish(toy(forms=('pth',)))
    assert pth == published[0] and not published[1].exists()
    with pytest.raises(UserError, match=r'no \.safetensors file\. It has toy-.*\.pth'):
        weights_of(Index().find('toy'), '.safetensors')
    (file,) = publish(toy(forms=('safetensors',)))
    assert resolve('mmkd://toy').samefile(file) and not pth.exists()
    assert verify(Index(), Index().find('toy')) == []


def evaluation(fingerprint: str) -> dict[str, Any]:
    listed = {'path': 'data/list.txt', 'sha256': 'ab' * 32, 'videos': 4}
    record = {
        'protocol': 'kNN@20',
        'preset': 'ours',
        'seed': 0,
        'split': 2,
        'train_list': listed,
        'test_list': listed,
        'figures': {'kNN@20/top1': 25.0},
    }
    options = {'protocols': ['knn'], 'k': [20], 'data': 'x', 'cfg_options': ['a=1']}
    return {
        'weights': fingerprint,
        'config': CONFIG,
        'options': options,
        'results': [record],
    }


def test_metrics_of_these_weights(project: Path, weights: Weights) -> None:
    report = Path('report.json')
    report.write_text(json.dumps(evaluation(backbone_fingerprint(weights))))
    before = publish(toy())
    assert 'Results' not in entry()
    assert publish(toy(metrics=report)) == before
    listed = {'Path': 'data/list.txt', 'SHA256': 'ab' * 32}
    assert entry()['Results'] == [
        {
            'Task': 'Action Recognition',
            'Dataset': 'data',
            'Metrics': {'kNN@20/top1': 0.25},
            'Protocol': 'kNN@20',
            'Preset': 'ours',
            'Seed': 0,
            'Split': 2,
            'Config': CONFIG,
            'Options': {
                'Protocols': ['knn'],
                'K': [20],
                'Data': 'x',
                'Cfg Options': ['a=1'],
            },
            'Train List': listed,
            'Test List': listed,
            'Measured By': 'tools/evaluate.py',
        }
    ]
    row = next(
        line
        for line in Path('zoo/README.md').read_text().splitlines()
        if '`toy`' in line
    )
    assert 'kNN@20 25.00 (data abababab, preset ours, split 2, seed 0, a=1)' in row
    assert 'epochs 3 (of 2 in the config)' in row
    assert before[0].name in row and before[1].name in row


def test_metrics_of_tools_test(project: Path, weights: Weights) -> None:
    Path('report.json').write_text('{"acc/top1": 0.5}')
    publish(toy(metrics=Path('report.json')))
    (result,) = entry()['Results']
    assert result['Metrics'] == {'acc/top1': 0.5}
    assert result['Measured By'] == 'tools/test.py'
    assert result['Test List']['SHA256'] == sha256(Path('data/list.txt'))


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'name': '../evil'}, "'../evil' is no name for the zoo"),
        ({'name': '.hidden'}, 'is no name for the zoo'),
        ({'config': 'configs/other/x.py'}, 'does not import configs/other/metafile'),
        ({'config': 'configs/toy/no.py'}, 'no.py does not exist'),
        ({'checkpoint': Path('no.pth')}, 'no.pth does not exist'),
        ({'parts': ('neck',)}, 'none of these parts'),
        ({'metrics': Path('train.json')}, 'is of other weights'),
        ({'metrics': Path('broken.json')}, 'is no report of'),
        ({'log': Path('no.log')}, 'log no.log cannot be read'),
    ],
)
def test_mistakes_write_nothing(
    changes: dict[str, Any], message: str, project: Path, weights: Weights
) -> None:
    Path('train.json').write_text(json.dumps(evaluation('0' * 16)))
    Path('broken.json').write_text('{"results": 1}')
    metafile = Path('configs/toy/metafile.yml').read_text()
    with pytest.raises(UserError, match=message):
        publish(toy(**changes))
    assert Path('configs/toy/metafile.yml').read_text() == metafile
    assert [p.name for p in Path('zoo').iterdir()] == ['README.md']
    assert Path('zoo/README.md').read_text() == README


@pytest.mark.parametrize('full', ['.pth', '.safetensors', 'metafile.yml'])
def test_a_full_disk_publishes_nothing(
    full: str, project: Path, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(toy(name='other'))
    before = {p: p.read_bytes() for p in Path().rglob('*') if p.is_file()}
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        if str(target).endswith(full):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    monkeypatch.setattr(os, 'replace', replace)
    with pytest.raises(UserError, match='No space left on device') as caught:
        publish(toy())
    assert '\n' not in str(caught.value)
    assert {p: p.read_bytes() for p in Path().rglob('*') if p.is_file()} == before


def test_weights_of_another_model(project: Path, weights: Weights) -> None:
    del weights['backbone.conv1.conv.weight']
    weights['cls_head.fc_cls.bias'] = torch.zeros(7)
    weights['neck.weight'] = torch.zeros(1)
    torch.save({'state_dict': weights}, 'other.pth')
    with pytest.raises(UserError) as error:
        publish(toy(checkpoint=Path('other.pth')))
    assert (
        'missing: backbone.* (1); beyond the config: neck.* (1); '
        'of another shape: cls_head.* (1)'
    ) in str(error.value)


def test_published_weights_say_their_input(project: Path, weights: Weights) -> None:
    content = torch.load('run/epoch_3.pth', weights_only=True)
    own = content['meta'].pop('input_convention')
    torch.save(content, 'mute.pth')
    pth = publish(toy(checkpoint=Path('mute.pth')))[0]  # the config names it
    assert torch.load(pth, weights_only=True)['meta']['input_convention'] == own
    content['meta']['input_convention'] = CONVENTIONS['rgb01'].as_dict()
    torch.save(content, 'other.pth')
    with pytest.raises(UserError, match=r"'rgb01', its config feeds 'bgr255'"):
        publish(toy(checkpoint=Path('other.pth')))
