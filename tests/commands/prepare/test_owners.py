import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmkd.commands.prepare.command_line import DATA_SETS, fetch_archives
from mmkd.errors import UserError
from tests.transfer.server import Site, serving


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w') as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv('no_proxy', '*')
    with serving(Site()) as site:
        yield site


@pytest.mark.parametrize('dataset', DATA_SETS)
def test_without_a_link_it_names_the_owner(dataset: str, tmp_path: Path) -> None:
    lines = fetch_archives(dataset, tmp_path / 'out', [])
    assert DATA_SETS[dataset].page in lines[0]
    assert not (tmp_path / 'out').exists()


def test_an_archive_is_fetched_and_unpacked(site: Site, tmp_path: Path) -> None:
    content = zipped({'lists/a.txt': b'a'})
    site.files = {'/lists.v1.zip': content}
    digest = hashlib.sha256(content).hexdigest()
    link = f'{site.url}/lists.v1.zip#sha256={digest}'
    folder = tmp_path / 'downloads'
    for _ in range(2):
        assert fetch_archives('ucf101', tmp_path, [link]) == [
            f'{folder}/lists.v1.zip (SHA-256 {digest})',
            f'unpacked to {folder}/lists',
        ]
    assert (folder / 'lists/lists/a.txt').read_bytes() == b'a'
    assert len(site.log) == 1


def test_a_rar_is_fetched_and_says_what_to_type(site: Site, tmp_path: Path) -> None:
    site.files = {'/set.rar': b'Rar!'}
    lines = fetch_archives('hmdb51', tmp_path, [f'{site.url}/set.rar'])
    path = tmp_path / 'downloads/set.rar'
    assert path.read_bytes() == b'Rar!'
    assert lines[1].startswith(f'Type `unrar x {path} {path.with_suffix("")}/`')


def test_what_is_wrong_leaves_no_folder(site: Site, tmp_path: Path) -> None:
    site.files = {'/evil.zip': zipped({'../evil': b'x'})}
    with pytest.raises(UserError, match='not safe to unpack'):
        fetch_archives('ucf101', tmp_path, [f'{site.url}/evil.zip'])
    link = f'{site.url}/evil.zip#sha256={"0" * 64}'
    with pytest.raises(UserError, match='its SHA-256 is'):
        fetch_archives('ucf101', tmp_path / 'other', [link])
    left = {p.name for p in tmp_path.rglob('*') if not p.name.startswith('.')}
    assert left == {'downloads', 'evil.zip', 'other'}


@pytest.mark.parametrize(
    'link', ['set.zip', 'file:///etc/passwd', 'https://a.org/', 'https://a.org/%2E%2E']
)
def test_no_link(link: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match='is no direct link to a file'):
        fetch_archives('ucf101', tmp_path, [link])
