import errno
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from mmkd.errors import UserError
from mmkd.transfer import Wanted, download
from mmkd.transfer import download as download_function
from tests.shared_files import ROOT
from tests.transfer.server import Site, serving

module = sys.modules[download_function.__module__]
CONTENT = bytes(i * 7 % 251 for i in range(3_000_000))
WANTED = Wanted(len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'PAUSE', 0.001)
    monkeypatch.setenv('no_proxy', '*')


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site(files={'/a.bin': CONTENT}, tags={'/a.bin': '"v1"'})) as site:
        yield site


def names(folder: Path) -> list[str]:
    """What stands in a folder, the lock left out."""
    return sorted(p.name for p in folder.iterdir() if p.suffix != '.lock')


def get(site: Site, folder: Path, wanted: Wanted = WANTED, file: str = 'a.bin') -> Path:
    return download([f'{site.url}/{file}'], folder / 'a.bin', wanted)


def test_a_file_arrives_whole_and_once(site: Site, tmp_path: Path) -> None:
    assert get(site, tmp_path).read_bytes() == CONTENT
    assert names(tmp_path) == ['a.bin']
    get(site, tmp_path)
    assert site.log == [('/a.bin', None, None)]


def test_cut_connections_go_on_where_they_ended(site: Site, tmp_path: Path) -> None:
    site.cuts = [1_000_000, 10, 500_000]
    assert get(site, tmp_path).read_bytes() == CONTENT
    ranges = [wanted for _, wanted, _ in site.log]
    assert ranges == [None, 'bytes=1000000-', 'bytes=1000010-', 'bytes=1500010-']
    assert {state for _, _, state in site.log[1:]} == {'"v1"'}


def test_a_later_call_goes_on_and_from_a_mirror(site: Site, tmp_path: Path) -> None:
    site.cuts = [1_000_000, *([0] * module.TRIES)]
    with pytest.raises(UserError, match='ended at byte 1000000 of 3000000, 4 times'):
        get(site, tmp_path)
    assert names(tmp_path) == ['.a.bin.part', '.a.bin.part.json']
    with serving(Site(files={'/b.bin': CONTENT})) as mirror:
        # The mirror is in no known state, but the SHA-256 will tell.
        get(mirror, tmp_path, file='b.bin')
        assert mirror.log == [('/b.bin', 'bytes=1000000-', None)]
    assert (tmp_path / 'a.bin').read_bytes() == CONTENT
    assert names(tmp_path) == ['a.bin']


def test_a_server_without_ranges_begins_again(site: Site, tmp_path: Path) -> None:
    site.ranges, site.cuts = False, [2_000_000]
    assert get(site, tmp_path).read_bytes() == CONTENT


def test_without_a_hash_only_the_same_state_goes_on(site: Site, tmp_path: Path) -> None:
    site.cuts = [1_000_000, *([0] * module.TRIES)]
    with pytest.raises(UserError, match='byte 1000000'):
        get(site, tmp_path, Wanted())
    newer = CONTENT[::-1]
    site.files['/a.bin'], site.tags['/a.bin'] = newer, '"v2"'
    site.cuts.clear()
    # The server is asked to go on if the file is as it was, and starts again.
    assert get(site, tmp_path, Wanted()).read_bytes() == newer
    assert site.log[-1] == ('/a.bin', 'bytes=1000000-', '"v1"')


def test_without_hash_and_state_nothing_goes_on(site: Site, tmp_path: Path) -> None:
    site.tags.clear()
    site.cuts = [1_000_000]
    assert get(site, tmp_path, Wanted()).read_bytes() == CONTENT
    assert [wanted for _, wanted, _ in site.log] == [None, None]


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'files': {'/a.bin': b'x' + CONTENT[1:]}}, 'its SHA-256 is '),
        ({'files': {'/a.bin': CONTENT[:-1]}}, 'announces 2999999 bytes, not'),
        (
            {'files': {'/a.bin': CONTENT + b'x'}},
            'announces 3000001 bytes, not the 3000',
        ),
        ({'announced': 3_000_010}, 'announces 3000010 bytes'),
        ({'files': {}}, 'the server says 404 '),
        ({'status': 503}, 'the server says 503 Service Unavailable, 4 times'),
    ],
)
def test_nothing_wrong_gets_the_name(
    change: dict[str, Any], message: str, site: Site, tmp_path: Path
) -> None:
    for key, value in change.items():
        setattr(site, key, value)
    with pytest.raises(UserError, match=message):
        get(site, tmp_path)
    assert names(tmp_path) == []


def test_what_was_there_stays_when_nothing_right_comes(
    site: Site, tmp_path: Path
) -> None:
    (tmp_path / 'a.bin').write_bytes(b'old')
    site.files['/a.bin'] = b'x' + CONTENT[1:]
    with pytest.raises(UserError, match='SHA-256'):
        get(site, tmp_path)
    assert (tmp_path / 'a.bin').read_bytes() == b'old'
    site.files['/a.bin'] = CONTENT
    assert get(site, tmp_path).read_bytes() == CONTENT


def test_a_spoilt_part_is_thrown_away(site: Site, tmp_path: Path) -> None:
    (tmp_path / '.a.bin.part').write_bytes(b'?' * 1000)
    assert get(site, tmp_path).read_bytes() == CONTENT
    (tmp_path / 'a.bin').unlink()
    (tmp_path / '.a.bin.part').write_bytes(b'?' * (len(CONTENT) + 5))
    assert get(site, tmp_path).read_bytes() == CONTENT


def test_mirrors_are_tried_in_turn(site: Site, tmp_path: Path) -> None:
    bad = tmp_path / 'bad'
    bad.mkdir()
    (bad / 'a.bin').write_bytes(b'?' * len(CONTENT))
    sources = [str(tmp_path / 'none/a.bin'), str(bad / 'a.bin'), f'{site.url}/a.bin']
    path = download(sources, tmp_path / 'out/a.bin', WANTED)
    assert path.read_bytes() == CONTENT
    with pytest.raises(UserError) as error:
        download(sources[:2], tmp_path / 'other/a.bin', WANTED)
    assert f'{sources[0]}: there is no such file' in str(error.value)
    assert f'{sources[1]}: its SHA-256 is' in str(error.value)
    assert names(tmp_path / 'other') == []


def test_a_redirect_to_another_host_is_refused(site: Site, tmp_path: Path) -> None:
    with serving(Site(files={'/a.bin': CONTENT})) as other:
        site.redirects = {'/a.bin': f'{other.url}/a.bin'}
        with pytest.raises(UserError, match=f'leads to {other.url}, which is not'):
            get(site, tmp_path)
        assert other.log == []
    assert names(tmp_path) == []
    site.redirects = {'/a.bin': '/b.bin'}  # on the same host
    site.files['/b.bin'] = CONTENT
    assert get(site, tmp_path).read_bytes() == CONTENT


def test_two_downloads_at_once(site: Site, tmp_path: Path) -> None:
    site.cuts = [1000] * 2
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: get(site, tmp_path), range(4)))
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert len(site.log) == 3  # by one of them, in three pieces
    assert names(tmp_path) == ['a.bin']


@pytest.mark.slow
def test_two_processes_at_once(site: Site, tmp_path: Path) -> None:
    code = (
        'import sys; from pathlib import Path;'
        'from mmkd.transfer import Wanted, download;'
        'download([sys.argv[1]], Path(sys.argv[2]), Wanted(int(sys.argv[3])))'
    )
    line = [f'{site.url}/a.bin', str(tmp_path / 'a.bin'), str(len(CONTENT))]
    env = {**os.environ, 'PYTHONPATH': str(ROOT)}
    children = [
        subprocess.Popen([sys.executable, '-W', 'ignore', '-c', code, *line], env=env)
        for _ in range(2)
    ]
    assert [child.wait(60) for child in children] == [0, 0]
    assert (tmp_path / 'a.bin').read_bytes() == CONTENT
    assert len(site.log) == 1


def test_a_full_disk_is_one_clear_line(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(FileIO):
        """Room for 5,000 bytes."""

        def write(self, chunk: Any) -> int:
            super().write(chunk[:5000])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules[download.__module__], 'FileIO', Full)
        with pytest.raises(UserError) as error:
            get(site, tmp_path)
    assert 'cannot be written (No space left on device)' in str(error.value)
    assert '\n' not in str(error.value)
    assert names(tmp_path) == ['.a.bin.part', '.a.bin.part.json']
    # With room again, the same call goes on.
    assert get(site, tmp_path).read_bytes() == CONTENT
    assert site.log[-1][1] == 'bytes=5000-'


@pytest.mark.skipif(not hasattr(os, 'geteuid') or os.geteuid() != 0, reason='not root')
def test_a_disk_that_is_really_full(site: Site, tmp_path: Path) -> None:
    disk = tmp_path / 'disk'
    disk.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip('no right to mount')
    try:
        with pytest.raises(UserError, match=r'has no room: 3000000 bytes are needed'):
            get(site, disk)
        # Where nobody knows the length, it shows only while writing.
        site.silent = True
        message = r'cannot be written \(No space left on device\)'
        with pytest.raises(UserError, match=message):
            get(site, disk, Wanted(sha256=WANTED.sha256))
        assert not (disk / 'a.bin').exists()
    finally:
        subprocess.run(['umount', str(disk)], check=True)


def test_a_folder_that_cannot_be_written(site: Site, tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match=r'cannot be written \('):
        get(site, tmp_path / 'file')


def test_the_state_of_a_part_is_plain(site: Site, tmp_path: Path) -> None:
    site.cuts = [10, *([0] * module.TRIES)]
    with pytest.raises(UserError):
        get(site, tmp_path)
    state = json.loads((tmp_path / '.a.bin.part.json').read_text())
    assert state == {'source': f'{site.url}/a.bin', 'tag': '"v1"'}


@pytest.mark.parametrize('name', ['.a.bin.part', '.a.bin.part.json'])
@pytest.mark.parametrize('make', [os.symlink, os.link])
def test_a_part_that_is_a_link_is_refused(
    site: Site, tmp_path: Path, name: str, make: Any
) -> None:
    """In a shared folder its name can be foreseen by others."""
    precious, folder = tmp_path / 'precious', tmp_path / 'shared'
    precious.write_bytes(b'mine')
    folder.mkdir()
    make(precious, folder / name)
    with pytest.raises(UserError, match='is a link or no plain file'):
        get(site, folder)
    assert precious.read_bytes() == b'mine'
    assert names(folder) == [name]


@pytest.mark.skipif(not hasattr(os, 'geteuid') or os.geteuid() != 0, reason='not root')
def test_a_part_of_another_user_is_refused(site: Site, tmp_path: Path) -> None:
    (tmp_path / '.a.bin.part').write_bytes(CONTENT[:10])
    os.chown(tmp_path / '.a.bin.part', 12345, -1)
    with pytest.raises(UserError, match='belongs to another user'):
        get(site, tmp_path)
    assert (tmp_path / '.a.bin.part').read_bytes() == CONTENT[:10]


def test_a_length_that_nobody_published_is_bounded(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, 'LARGEST', 100)
    site.files['/a.bin'] = bytes(2 << 20)
    address = f'{site.url}/a.bin'
    with pytest.raises(UserError, match='announces 2097152 bytes, more than 100'):
        download([address], tmp_path / 'a.bin', Wanted())
    site.silent = True
    with pytest.raises(UserError, match='has no length, and goes on after 100 bytes'):
        download([address], tmp_path / 'a.bin', Wanted())
    assert not [p for p in tmp_path.iterdir() if p.stat().st_size > 100]
