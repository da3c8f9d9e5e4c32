import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mmkd.errors import UserError
from mmkd.transfer import extract
from mmkd.transfer.archives import unpack_by_hand

FILES = {'a/one.txt': b'one', 'two.bin': bytes(1000)}


def write_tar(path: Path, members: dict[str, bytes | tarfile.TarInfo]) -> Path:
    with tarfile.open(path, 'w:gz') as packed:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                packed.addfile(content)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                info.mode = 0o4777
                packed.addfile(info, io.BytesIO(content))
    return path


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return path


WRITERS = {'tar': write_tar, 'zip': write_zip}


@pytest.mark.parametrize('kind', [b'L', b'K', b'x', b'g', b'X'])
@pytest.mark.parametrize('compress', [gzip.compress, bz2.compress, lzma.compress])
def test_a_header_that_claims_all_memory(
    kind: bytes, compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    header = tarfile.TarInfo('long')
    header.type = kind
    header.size = 4 << 30
    (tmp_path / 'x').write_bytes(compress(header.tobuf(tarfile.GNU_FORMAT)))
    with pytest.raises(UserError, match='a header of it is 4294967296 bytes long'):
        extract(tmp_path / 'x', tmp_path / 'out')
    assert [path.name for path in tmp_path.iterdir()] == ['x']


def test_no_file_of_a_tar_may_be_executed(tmp_path: Path) -> None:
    folder = extract(write_tar(tmp_path / 'x', FILES), tmp_path / 'out')
    modes = {p.stat().st_mode & 0o777 for p in folder.rglob('*') if p.is_file()}
    assert not any(mode & 0o111 for mode in modes)


def test_the_command_to_type_is_quoted() -> None:
    text = unpack_by_hand(Path('a b; touch x.rar'))
    assert text.startswith("Type `unrar x 'a b; touch x.rar' 'a b; touch x/'`, or ")


@pytest.mark.parametrize('kind', WRITERS)
def test_whole(kind: str, tmp_path: Path) -> None:
    folder = extract(WRITERS[kind](tmp_path / 'x', FILES), tmp_path / 'out')
    found = {
        str(p.relative_to(folder)): p.read_bytes()
        for p in folder.rglob('*')
        if p.is_file()
    }
    assert found == FILES
    assert not (folder / 'two.bin').stat().st_mode & stat.S_ISUID
    with pytest.raises(UserError, match='is there already'):
        extract(tmp_path / 'x', folder)


@pytest.mark.parametrize('kind', WRITERS)
@pytest.mark.parametrize(
    'name',
    ['../evil', 'a/../../evil', '/evil', '..\\evil', 'C:\\evil', 'C:evil', '//h/s'],
)
def test_members_outside(kind: str, name: str, tmp_path: Path) -> None:
    inner = tmp_path / 'inner'
    inner.mkdir()
    archive = WRITERS[kind](tmp_path / 'x', {'fine': b'1', name: b'evil'})
    with pytest.raises(UserError, match=r'is not safe to unpack: .* outside of it'):
        extract(archive, inner / 'out')
    assert sorted(p.name for p in tmp_path.rglob('*')) == ['inner', 'x']


@pytest.mark.parametrize('kind', [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_pipes_in_a_tar(kind: bytes, tmp_path: Path) -> None:
    link = tarfile.TarInfo('link')
    link.type, link.linkname = kind, 'fine'
    archive = write_tar(tmp_path / 'x', {'fine': b'1', 'link': link})
    with pytest.raises(UserError, match="'link' is a link or a device"):
        extract(archive, tmp_path / 'out')
    assert os.listdir(tmp_path) == ['x']


def test_links_in_a_zip(tmp_path: Path) -> None:
    link = zipfile.ZipInfo('link')
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / 'x', 'w') as packed:
        packed.writestr(link, '/etc')
    with pytest.raises(UserError, match="'link' is a link or a device"):
        extract(tmp_path / 'x', tmp_path / 'out')
    assert os.listdir(tmp_path) == ['x']


@pytest.mark.parametrize('kind', WRITERS)
def test_bombs(kind: str, tmp_path: Path) -> None:
    archive = WRITERS[kind](tmp_path / 'x', {'a': bytes(600_000), 'b': bytes(600_000)})
    assert archive.stat().st_size < 5000
    with pytest.raises(UserError, match='unpacks to more than 1000000 bytes'):
        extract(archive, tmp_path / 'out', limit=1_000_000)
    assert os.listdir(tmp_path) == ['x']
    assert extract(archive, tmp_path / 'out', limit=1_200_000).is_dir()


def test_a_zip_that_lies_about_a_length(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / 'x', {'a': bytes(500_000)})
    true, told = (n.to_bytes(4, 'little') for n in (500_000, 100))
    archive.write_bytes(archive.read_bytes().replace(true, told))
    with pytest.raises(UserError, match='damaged'):
        extract(archive, tmp_path / 'out', limit=1000)
    assert os.listdir(tmp_path) == ['x']


@pytest.mark.parametrize('kind', WRITERS)
def test_cut_short(kind: str, tmp_path: Path) -> None:
    archive = WRITERS[kind](tmp_path / 'x', {'a': os.urandom(100_000)})
    archive.write_bytes(archive.read_bytes()[:50_000])
    with pytest.raises(UserError, match=r'damaged|neither'):
        extract(archive, tmp_path / 'out')
    assert os.listdir(tmp_path) == ['x']


def test_a_rar_says_what_to_type(tmp_path: Path) -> None:
    archive = tmp_path / 'set.rar'
    archive.write_bytes(b'Rar!\x1a\x07\x01\x00' + bytes(100))
    with pytest.raises(UserError, match=f'`unrar x {archive} {tmp_path}/set/`'):
        extract(archive, tmp_path / 'out')
