from pathlib import Path
from typing import Any

import pytest
import yaml

from mmkd.errors import UserError
from mmkd.zoo.index import Index, ZooFile, read_entry
from mmkd.zoo.metafile import as_yaml, write_entry
from tests.shared_files import ROOT

DIGEST = 'ab' * 32
ENTRY: dict[str, Any] = {
    'Name': 'toy',
    'In Collection': 'Toy',
    'Config': 'configs/toy/tiny.py',
    'Weights': 'https://models.org/v1/toy-abababab.pth',
    'Training Log': 'zoo/toy-abababab.log',
    'Files': [
        {'Name': 'toy-abababab.pth', 'Size': 7, 'SHA256': DIGEST},
        {'Name': 'toy-abababab.log', 'Size': 8, 'SHA256': DIGEST},
    ],
}


def test_an_entry() -> None:
    model = read_entry(ENTRY, Path('m.yml'))
    assert model.weights == (ZooFile('toy-abababab.pth', 7, DIGEST),)
    assert model.log == ZooFile('toy-abababab.log', 8, DIGEST)
    assert model.address == 'https://models.org/v1'


@pytest.mark.parametrize(
    'name',
    ['../a.pth', 'a/b.pth', '/a.pth', '..', 'a\\b', '.a', 'a\0', 'C:a', '', 'a\n'],
)
def test_names_never_leave_the_folder(name: str) -> None:
    files = [{'Name': name, 'Size': 1, 'SHA256': DIGEST}]
    with pytest.raises(UserError, match=r'm\.yml: .* is no name for the zoo'):
        read_entry({**ENTRY, 'Files': files}, Path('m.yml'))
    with pytest.raises(UserError, match='is no name for the zoo'):
        read_entry({**ENTRY, 'Name': name}, Path('m.yml'))


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (
            {'Files': [{'Name': 'a', 'Size': 1, 'SHA256': DIGEST[:8]}]},
            'no SHA-256 of',
        ),
        ({'Files': [{'Name': 'a', 'SHA256': DIGEST}]}, "an entry lacks 'Size'"),
        ({'Files': 'a'}, 'an entry lacks'),
    ],
)
def test_what_an_entry_must_have(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_entry({**ENTRY, **change}, Path('m.yml'))


def test_the_index_of_this_project() -> None:
    index = Index(ROOT / 'model-index.yml')
    model = index.find('auxskd_r3d_k100')
    assert (model.collection, model.config, model.weights) == (
        'auxSKD',
        'configs/auxskd/r3d_k100.py',
        (),
    )
    with pytest.raises(UserError, match=r'no model .* Did you mean auxskd_r3d_k100'):
        index.find('auxskd_r3d_k10')


def test_names_are_unique(project: Path) -> None:
    write_entry(Path('configs/toy/metafile.yml'), ENTRY)
    Path('model-index.yml').write_text('Import: [configs/toy/metafile.yml, b.yml]')
    Path('b.yml').write_text(as_yaml({'Models': [ENTRY]}))
    with pytest.raises(UserError, match='two models are named toy'):
        Index()


def test_a_broken_metafile(project: Path) -> None:
    Path('configs/toy/metafile.yml').write_text('Models: [')
    with pytest.raises(UserError, match=r'metafile\.yml cannot be read as YAML'):
        Index()


def test_yaml_keeps_values_and_indents() -> None:
    text = as_yaml({'Models': [ENTRY]})
    assert text.startswith('Models:\n  - Name: toy\n    In Collection: Toy\n')
    assert yaml.safe_load(text) == {'Models': [ENTRY]}
