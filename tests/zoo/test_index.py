from pathlib import Path
from typing import Any

import pytest
import yaml

from mmkd.errors import UserError
from mmkd.transfer.model_index import Index, ZooFile, read_entry
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


NESTED = 'a: &a [x, x]\n' + ''.join(
    f'{one}: &{one} [{", ".join([f"*{two}"] * 9)}]\n'
    for two, one in zip('abcdefgh', 'bcdefghi', strict=True)
)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (NESTED + 'Import: *i', 'alias'),
        ('a: 2001-99-99', 'month must be in'),
        ('a: ' + '[' * 20000, 'cannot be read as YAML'),
        ('a: !!python/object/apply:os.system [true]', 'cannot be read as YAML'),
        ('? [a]\n: 1', 'cannot be read as YAML'),
        ('Import: 3', 'Import is no list'),
        ('Import: [[a]]', 'no path below it'),
        ('Import: [../configs/toy/metafile.yml]', 'no path below it'),
        ('Import: [/etc/metafile.yml]', 'no path below it'),
    ],
)
def test_an_odd_index_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / 'model-index.yml').write_text(text)
    with pytest.raises(UserError, match=message) as error:
        Index(tmp_path / 'model-index.yml')
    assert '\n' not in str(error.value)


def test_a_size_without_end_is_one_line() -> None:
    files = [{'Name': 'a.pth', 'Size': float('inf'), 'SHA256': DIGEST}]
    with pytest.raises(UserError, match=r'm\.yml: an entry'):
        read_entry({**ENTRY, 'Files': files}, Path('m.yml'))


def test_yaml_keeps_values_and_indents() -> None:
    text = as_yaml({'Models': [ENTRY]})
    assert text.startswith('Models:\n  - Name: toy\n    In Collection: Toy\n')
    assert yaml.safe_load(text) == {'Models': [ENTRY]}


@pytest.mark.parametrize(
    'path', ['/tmp/evil.py', '../evil.py', 'configs/../../evil.py']
)
def test_no_config_outside_of_the_index_is_named(path: str) -> None:
    """It would be executed by `zoo.py verify`."""
    with pytest.raises(UserError, match=r'm\.yml: the config .* is not below the fold'):
        read_entry({**ENTRY, 'Config': path}, Path('m.yml'))
