"""Files of the Hugging Face hub, from a server that speaks its two endpoints."""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner.checkpoint import _load_checkpoint

import mmkd  # noqa: F401  (it teaches MMEngine hf://)
from mmkd.engine.preflight.checkpoints import check_checkpoints
from mmkd.errors import UserError
from mmkd.transfer import Wanted
from mmkd.transfer import download as download_function
from mmkd.transfer.hub import HubFile, fetch_hub, parse
from mmkd.transfer.sources import may_redirect
from mmkd.weight_files import to_pth, to_safetensors
from tests.transfer.server import Site, serving

COMMIT, OLDER = 'c' * 40, 'd' * 40
WEIGHTS = {'backbone.conv1.conv.weight': torch.arange(300_000.0)}
SAFE = to_safetensors(WEIGHTS, {'name': 'toy'})
PTH = to_pth(WEIGHTS, {'name': 'toy'})


def listing(commit: str, files: dict[str, bytes], large: bool = True) -> bytes:
    """What the hub answers about a repository."""
    siblings = []
    for name, content in files.items():
        lfs = {'sha256': hashlib.sha256(content).hexdigest(), 'size': len(content)}
        one = {'rfilename': name, 'size': len(content), 'blobId': 'b' * 40}
        siblings.append(one | ({'lfs': lfs} if large else {}))
    return json.dumps({'sha': commit, 'siblings': siblings}).encode()


def offer(
    site: Site, repo: str, files: dict[str, bytes], revision: str = 'main'
) -> None:
    """Put a repository on the server."""
    commit = OLDER if revision == 'v0' else COMMIT
    for name in {revision, commit}:
        path = f'/api/models/{repo}/revision/{name}?blobs=true'
        site.files[path] = listing(commit, files)
    for name, content in files.items():
        site.files[f'/{repo}/resolve/{commit}/{name}'] = content


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    monkeypatch.setattr(sys.modules[download_function.__module__], 'PAUSE', 0.001)
    monkeypatch.setenv('no_proxy', '*')
    monkeypatch.setenv('MMKD_CACHE', str(tmp_path / 'cache'))
    monkeypatch.delenv('HF_TOKEN', raising=False)
    with serving(Site()) as site:
        monkeypatch.setenv('HF_ENDPOINT', site.url)
        yield site


def test_forms() -> None:
    assert parse('hf://a/b') == HubFile('a/b')
    assert parse('hf://a/b@v1') == HubFile('a/b', None, 'v1')
    deep = HubFile('a/b', 'x/y.pth', 'refs/pr/1')
    assert parse('hf://a/b/x/y.pth@refs/pr/1') == deep
    assert str(deep) == 'hf://a/b/x/y.pth@refs/pr/1'
    for wrong in ('hf://a', 'hf://a/', 'hf://a/b/../c', 'hf://a/b@', 'hf://../b/c'):
        with pytest.raises(UserError, match='is no file of the hub'):
            parse(wrong)


@pytest.mark.parametrize(
    ('files', 'source', 'name'),
    [
        ({'model.safetensors': SAFE, 'README.md': b'#'}, 'hf://o/r', 'toy'),
        ({'x/last.pth': PTH}, 'hf://o/r/x/last.pth', 'toy'),
        ({'x/last.pth': PTH}, 'hf://o/r@main', 'toy'),
    ],
)
def test_whatever_reads_checkpoints_reads_the_hub(
    hub: Site, files: dict[str, bytes], source: str, name: str
) -> None:
    offer(hub, 'o/r', files)
    check_checkpoints(Config({'model': {}, 'load_from': source}))
    content = _load_checkpoint(source, map_location='cpu')
    assert content['meta']['name'] == name
    assert all(torch.equal(content['state_dict'][k], v) for k, v in WEIGHTS.items())


def test_a_revision_and_the_cache(hub: Site, tmp_path: Path) -> None:
    offer(hub, 'o/r', {'a.pth': b'new'})
    offer(hub, 'o/r', {'a.pth': b'old'}, 'v0')
    assert fetch_hub('hf://o/r').read_bytes() == b'new'
    path = fetch_hub('hf://o/r@v0')
    assert path.read_bytes() == b'old'
    assert path == tmp_path / 'cache/hub/o/r' / OLDER / 'a.pth'
    before = len(hub.log)
    fetch_hub('hf://o/r@v0')  # asks what v0 is today, and fetches nothing
    assert [log[0].split('?')[0] for log in hub.log[before:]] == [
        '/api/models/o/r/revision/v0'
    ]
    fetch_hub(f'hf://o/r@{OLDER}')
    before = len(hub.log)
    fetch_hub(f'hf://o/r@{OLDER}')  # what a commit holds never changes
    assert len(hub.log) == before
    hub.status = 503
    assert fetch_hub('hf://o/r').read_bytes() == b'new'  # as known without the net
    with pytest.raises(UserError, match=r'hf://o/other: .* does not answer'):
        fetch_hub('hf://o/other')


def test_cut_connections_and_wrong_bytes(hub: Site) -> None:
    offer(hub, 'o/r', {'model.safetensors': SAFE})
    address = f'/o/r/resolve/{COMMIT}/model.safetensors'
    hub.cuts = [1 << 20, 100_000, 10]  # the first is of the list
    assert fetch_hub('hf://o/r').read_bytes() == SAFE
    assert [log[1] for log in hub.log if log[0] == address] == [
        None,
        'bytes=100000-',
        'bytes=100010-',
    ]
    offer(hub, 'o/bad', {'model.safetensors': SAFE})
    broken = SAFE[:-1] + bytes([SAFE[-1] ^ 1])
    hub.files[f'/o/bad/resolve/{COMMIT}/model.safetensors'] = broken
    with pytest.raises(UserError, match=r'its SHA-256 is .*, not the .* published'):
        fetch_hub('hf://o/bad')


def test_what_cannot_be_right_is_one_line(hub: Site) -> None:
    offer(hub, 'o/two', {'a.pth': b'1', 'b.pth': b'2'})
    with pytest.raises(UserError, match=r'has 2 files \.pth'):
        fetch_hub('hf://o/two')
    assert fetch_hub('hf://o/two/b.pth').read_bytes() == b'2'
    with pytest.raises(UserError, match=r"has no file 'c\.pth'"):
        fetch_hub('hf://o/two/c.pth')
    offer(hub, 'o/none', {'README.md': b'#'})
    with pytest.raises(UserError, match=r'has no file with weights'):
        fetch_hub('hf://o/none')
    path = '/api/models/o/small/revision/main?blobs=true'
    hub.files[path] = listing(COMMIT, {'a.pth': b'1'}, large=False)
    with pytest.raises(UserError, match=r'tells no SHA-256 of a\.pth'):
        fetch_hub('hf://o/small')
    for answer in (b'<html>', b'[]', b'{"sha": "x", "siblings": [{"size": 1}]}'):
        hub.files[path] = answer
        with pytest.raises(UserError, match='answers otherwise than the hub does'):
            fetch_hub('hf://o/small')
    for name in ('../up.pth', '/etc/x.pth', 'a//b.pth', 'a\\b.pth'):
        hub.files[path] = listing(COMMIT, {name: b'1'})
        with pytest.raises(UserError, match='names files that nobody can have'):
            fetch_hub('hf://o/small')
    with pytest.raises(UserError, match=r'hf://o/gone: the server says 404 .*HF_TOKEN'):
        fetch_hub('hf://o/gone')


def test_the_token_goes_to_the_hub_alone(
    hub: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv('HF_TOKEN', 'hf_secret')
    offer(hub, 'o/r', {'a.pth': b'1'})
    fetch_hub('hf://o/r')
    assert hub.tokens == ['Bearer hf_secret'] * 2
    with serving(Site(files={'/a.bin': b'1'})) as other:
        wanted = Wanted(1, hashlib.sha256(b'1').hexdigest())
        download_function([f'{other.url}/a.bin'], tmp_path / 'a.bin', wanted)
        assert other.tokens == [None]
    # A redirect on the same host is followed, without the token.
    address = f'/o/r/resolve/{COMMIT}/a.pth'
    hub.redirects[address] = f'{hub.url}/store/a.pth'
    hub.files['/store/a.pth'] = b'1'
    (tmp_path / 'cache/hub/o/r' / COMMIT / 'a.pth').unlink()
    fetch_hub('hf://o/r')
    assert hub.log[-1][0] == '/store/a.pth' and hub.tokens[-1] is None


@pytest.mark.parametrize(
    ('target', 'allowed'),
    [
        ('https://cas-bridge.xethub.hf.co/x', True),
        ('https://us.aws.cdn.hf.co/x', True),
        ('https://cdn-lfs-us-1.huggingface.co/x', True),
        ('https://huggingface.co/y', True),
        ('http://cdn-lfs.hf.co/x', False),
        ('https://evilhf.co/x', False),
        ('https://hf.co.example.org/x', False),
    ],
)
def test_redirects_to_the_hubs_own_hosts(target: str, allowed: bool) -> None:
    assert may_redirect('https://huggingface.co/x', target) is allowed
