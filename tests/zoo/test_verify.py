from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from mmkd.files import sha256
from mmkd.transfer.model_index import Index
from mmkd.weight_files import read_weights, to_pth
from mmkd.zoo.metafile import write_entry
from mmkd.zoo.publish import _file, publish
from mmkd.zoo.verify import verify
from tests.zoo.toy_zoo import toy

METAFILE = Path('configs/toy/metafile.yml')


class Malicious:
    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Path.touch, (Path('ran'),)


def problems() -> list[str]:
    index = Index()
    return verify(index, index.find('toy'))


def change(**values: Any) -> None:
    """Change the entry of the toy in its metafile."""
    models = yaml.safe_load(METAFILE.read_text())['Models']
    entry = next(model for model in models if model['Name'] == 'toy')
    write_entry(METAFILE, {**entry, **values})


def replace_weights(content: bytes, path: Path) -> None:
    """Put other bytes into the zoo, with an entry that vouches for them."""
    file = _file('toy', path.suffix, content)
    path.unlink()
    path.with_name(file.name).write_bytes(content)
    facts = {'Name': file.name, 'Size': file.size, 'SHA256': file.sha256}
    change(Files=[facts], Weights=f'zoo/{file.name}')


@pytest.fixture
def published(project: Path, weights: dict[str, torch.Tensor]) -> list[Path]:
    return publish(toy())


def test_what_was_published_is_right(published: list[Path]) -> None:
    assert problems() == []


def test_one_bit(published: list[Path]) -> None:
    for path in published:
        content = path.read_bytes()
        changed = content[:-1] + bytes([content[-1] ^ 1])
        path.write_bytes(changed)
        (problem,) = problems()
        assert f'{path.name} cannot be had' in problem
        assert 'its SHA-256 is' in problem
        path.write_bytes(content)
    assert problems() == []


def test_a_missing_file(published: list[Path]) -> None:
    published[1].unlink()
    assert 'there is no such file' in problems()[0]


def test_a_malicious_pickle_is_refused(published: list[Path]) -> None:
    torch.save({'state_dict': {}, 'meta': Malicious()}, 'evil.pth')
    replace_weights(Path('evil.pth').read_bytes(), published[0])
    (problem,) = problems()
    assert 'holds pickled objects, which could run code' in problem
    assert not Path('ran').exists()


def test_weights_that_do_not_fit(published: list[Path]) -> None:
    content = read_weights(published[0])
    del content['state_dict']['cls_head.fc_cls.bias']
    replace_weights(to_pth(content['state_dict'], content['meta']), published[0])
    assert problems() == [
        'its weights do not fit configs/toy/tiny.py: missing: cls_head.* (1)'
    ]


def test_other_values_than_the_meta_says(published: list[Path]) -> None:
    content = read_weights(published[0])
    content['state_dict']['backbone.conv1.conv.weight'] += 1
    replace_weights(to_pth(content['state_dict'], content['meta']), published[0])
    assert problems() == ['its backbone has another fingerprint than its meta says']


def test_forms_that_differ(published: list[Path]) -> None:
    content = read_weights(published[0])
    content['state_dict']['cls_head.fc_cls.bias'] += 1
    replace_weights(to_pth(content['state_dict'], content['meta']), published[0])
    index = Index()
    first = index.find('toy').entry['Files'][0]
    second = {
        'Name': published[1].name,
        'Size': published[1].stat().st_size,
        'SHA256': sha256(published[1]),
    }
    change(Files=[first, second])
    assert problems() == [
        f'{published[1].name} holds other values than {first["Name"]}'
    ]


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (
            {'Metadata': {'Stored As': 'float16'}},
            "says stored_as 'float32'",
        ),
        ({'Weights': 'zoo/other.pth'}, 'Weights in the metafile is no file of'),
        ({'Training Log': 'zoo/x.log'}, 'Training Log in the metafile is no file of'),
        (
            {'Results': [{'Metrics': {}}]},
            'a result lacks Dataset, Measured By, Pro',
        ),
        ({'Training List': None}, 'the list that it was trained on is not named'),
    ],
)
def test_a_metafile_that_says_something_else(
    values: dict[str, Any], message: str, published: list[Path]
) -> None:
    change(**values)
    assert any(message in problem for problem in problems())
