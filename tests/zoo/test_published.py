from pathlib import Path
from typing import Any

import pytest
import torch

from mmkd.errors import UserError
from mmkd.transfer.model_index import Index, ZooFile, read_entry
from mmkd.transfer.published import fetch, resolve, sources_of
from mmkd.zoo.metafile import write_entry
from mmkd.zoo.publish import publish
from tests.transfer.server import Site, serving
from tests.zoo.toy_zoo import toy


class Malicious:
    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Path.touch, (Path('ran'),)


@pytest.fixture
def published(project: Path, weights: dict[str, torch.Tensor]) -> Path:
    return publish(toy())[0]


def test_the_folder_of_the_project_comes_as_it_is(published: Path) -> None:
    assert resolve('mmkd://toy').samefile(published)
    assert not Path('cache').exists()


def test_an_address_comes_through_the_cache(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = published.read_bytes()
    with serving(Site(files={f'/zoo/{published.name}': content})) as site:
        monkeypatch.setenv('MMKD_ZOO', f'{site.url}/zoo/')
        path = resolve('mmkd://toy')
        assert path == Path('cache').resolve() / published.name
        assert path.read_bytes() == content
        resolve('mmkd://toy')
        assert len(site.log) == 1
        path.write_bytes(b'spoilt')
        assert resolve('mmkd://toy').read_bytes() == content


def test_mirrors_in_turn(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = published.read_bytes()
    bad = {f'/{published.name}': content[:-1] + b'?'}
    with serving(Site(files=bad)) as one, serving(Site()) as two:
        two.files = {f'/{published.name}': content}
        Path('empty').mkdir()
        monkeypatch.setenv('MMKD_ZOO', f'empty, {one.url} ,{two.url}')
        assert resolve('mmkd://toy').read_bytes() == content
        two.files = bad
        Path('cache', published.name).unlink()
        with pytest.raises(UserError) as error:
            resolve('mmkd://toy')
    for source in ('empty', one.url, two.url):
        assert source in str(error.value)
    assert [p.suffix for p in Path('cache').iterdir()] == ['.lock']


def test_the_address_of_the_entry_is_the_last_source(project: Path) -> None:
    file = ZooFile('a+b-abababab.pth', 1, 'ab' * 32)
    entry = {
        'Name': 'a',
        'In Collection': 'Toy',
        'Config': 'c.py',
        'Weights': 'https://models.org/v1/a+b-abababab.pth',
    }
    model = read_entry(entry, Path('m.yml'))
    assert sources_of(Index(), model, file) == [
        str(project / 'zoo' / file.name),
        'https://models.org/v1/a%2Bb-abababab.pth',
    ]


def test_an_index_without_weights_beside_it(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an installed package has it."""
    Path('zoo').rename('elsewhere')
    with pytest.raises(UserError, match=r'Name the folder zoo of a ch.* in MMKD_ZOO'):
        resolve('mmkd://toy')
    assert not Path('cache').exists()
    monkeypatch.setenv('MMKD_ZOO', 'elsewhere')
    assert resolve('mmkd://toy').parent.name == 'elsewhere'


def test_a_copy_elsewhere(published: Path) -> None:
    index = Index()
    model = index.find('toy')
    path = fetch(index, model, model.weights[1], Path('new/folder'))
    assert path == Path('new/folder') / model.weights[1].name
    assert path.read_bytes() == published.parent.joinpath(path.name).read_bytes()


def test_recipes_and_unknown_names(project: Path) -> None:
    with pytest.raises(UserError, match=r'recipe is a recipe: .* Train it: `python'):
        resolve('mmkd://recipe')
    with pytest.raises(UserError, match=r"no model '\.\./zoo'"):
        resolve('mmkd://../zoo')


def test_nothing_in_a_malicious_entry_runs(published: Path) -> None:
    from mmengine.runner.checkpoint import _load_checkpoint

    from mmkd.zoo.publish import _file

    torch.save({'state_dict': {}, 'meta': Malicious()}, 'evil')
    content = Path('evil').read_bytes()
    file = _file('toy', '.pth', content)
    Path('zoo', file.name).write_bytes(content)
    entry = dict(Index().find('toy').entry)
    entry['Files'] = [{'Name': file.name, 'Size': file.size, 'SHA256': file.sha256}]
    write_entry(Path('configs/toy/metafile.yml'), entry)
    with pytest.raises(UserError, match='holds pickled objects, which could run code'):
        _load_checkpoint('mmkd://toy', map_location='cpu')
    assert not Path('ran').exists()
