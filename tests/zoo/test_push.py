"""``zoo.py push`` against a server that speaks what huggingface_hub asks a hub for."""

import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.runner.checkpoint import _load_checkpoint

from mmkd.commands.zoo import main
from mmkd.zoo.publish import publish
from tests.zoo.toy_zoo import toy

COMMIT = 'e' * 40
Weights = dict[str, torch.Tensor]


class Hub:
    """What was uploaded, and who asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.stored: dict[str, bytes] = {}  # large files by their SHA-256
        self.tokens: set[str | None] = set()
        self.created: list[dict[str, Any]] = []
        self.refuse = False
        self.url = ''


class Handler(BaseHTTPRequestHandler):
    hub: Hub

    def answer(self, value: Any, status: int = 200) -> None:
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers['Content-Length'] or 0))

    def do_POST(self) -> None:
        hub, path, body = self.hub, self.path.split('?')[0], self.body()
        hub.tokens.add(self.headers['Authorization'])
        if hub.refuse:
            self.answer({'error': 'You may not write here'}, 403)
        elif path == '/api/repos/create':
            hub.created.append(json.loads(body))
            self.answer({'url': f'{hub.url}/o/r', 'id': 'o/r', 'name': 'o/r'})
        elif path == '/api/validate-yaml':
            yaml.safe_load(json.loads(body)['content'].split('---')[1])
            self.answer({'errors': [], 'warnings': []})
        elif path.endswith('/preupload/main'):
            modes = [
                {
                    'path': file['path'],
                    'uploadMode': 'lfs'
                    if file['path'].endswith('.safetensors')
                    else 'regular',
                    'shouldIgnore': False,
                }
                for file in json.loads(body)['files']
            ]
            self.answer({'files': modes})
        elif path.endswith('/info/lfs/objects/batch'):
            objects = [
                {
                    **one,
                    'actions': {'upload': {'href': f'{hub.url}/store/{one["oid"]}'}},
                }
                for one in json.loads(body)['objects']
            ]
            self.answer({'transfer': 'basic', 'objects': objects})
        elif path.endswith('/commit/main'):
            for line in body.splitlines():
                entry = json.loads(line)
                value = entry['value']
                if entry['key'] == 'file':
                    hub.files[value['path']] = base64.b64decode(value['content'])
                elif entry['key'] == 'lfsFile':
                    hub.files[value['path']] = hub.stored[value['oid']]
            url = f'{hub.url}/o/r/commit/{COMMIT}'
            self.answer({'success': True, 'commitUrl': url, 'commitOid': COMMIT})
        else:
            self.answer({'error': path}, 404)

    def do_PUT(self) -> None:
        content = self.body()
        oid = self.path.rpartition('/')[2]
        assert hashlib.sha256(content).hexdigest() == oid
        self.hub.stored[oid] = content
        self.answer(b'')

    def do_GET(self) -> None:
        """What loading asks for afterwards."""
        if re.match(r'/api/models/o/r/revision/', self.path):
            siblings = [
                {
                    'rfilename': name,
                    'size': len(content),
                    'lfs': {
                        'sha256': hashlib.sha256(content).hexdigest(),
                        'size': len(content),
                    },
                }
                for name, content in self.hub.files.items()
            ]
            self.answer({'sha': COMMIT, 'siblings': siblings})
            return
        name = self.path.rpartition('/')[2]
        self.answer(self.hub.files.get(name, b'{}'), 200)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub on this machine; asked for over LFS, which huggingface_hub calls legacy."""
    pytest.importorskip('huggingface_hub')
    from huggingface_hub import constants

    found = Hub()
    handler = type('OneHandler', (Handler,), {'hub': found})
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        found.url = f'http://127.0.0.1:{server.server_address[1]}'
        monkeypatch.setenv('HF_ENDPOINT', found.url)
        monkeypatch.setenv('HF_TOKEN', 'hf_secret')
        monkeypatch.setenv('no_proxy', '*')
        monkeypatch.setattr(constants, 'HF_HUB_DISABLE_XET', True)
        monkeypatch.setattr(constants, 'ENDPOINT', found.url)
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def test_what_is_pushed_loads_again(
    hub: Hub, project: Path, weights: Weights, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(toy())
    command = ['push', 'toy', '--to', 'hf://o/r', '--license', 'cc-by-4.0', '--private']
    assert main(command) == 0
    address = capsys.readouterr().out.splitlines()[-1]
    assert address == f'hf://o/r@{COMMIT}'
    assert sorted(hub.files) == ['README.md', 'config.py', 'model.safetensors']
    assert hub.tokens == {'Bearer hf_secret'}
    asked = hub.created[0]  # in the words of this and of earlier releases
    assert asked.get('visibility') == 'private' or asked.get('private') is True
    content = _load_checkpoint(address, map_location='cpu')
    assert all(torch.equal(content['state_dict'][k], v) for k, v in weights.items())
    assert content['meta']['input_convention']['name'] == 'bgr255'
    (project / 'complete.py').write_bytes(hub.files['config.py'])
    assert Config.fromfile('complete.py').model.type
    front, text = hub.files['README.md'].decode().split('---\n')[1:3]
    head = yaml.safe_load(front)
    assert (head['license'], head['library_name']) == ('cc-by-4.0', 'mmkd')
    assert head['model-index'][0]['name'] == 'toy'
    assert "load_from = 'hf://o/r'" in text and 'not measured' in text
    assert 'bgr255' in text


def test_what_cannot_be_pushed_is_one_line(
    hub: Hub,
    project: Path,
    weights: Weights,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    publish(toy())
    command = ['push', 'toy', '--license', 'cc-by-4.0', '--to']

    def refused(target: str, name: str = 'toy') -> str:
        with pytest.raises(SystemExit) as end:
            main([command[0], name, *command[2:], target])
        assert end.value.code
        said = capsys.readouterr().err
        assert said.count('\n') == 1
        return said

    assert 'is more than a repository' in refused('hf://o/r/file.pth')
    assert 'is no file of the hub' in refused('o/r')
    assert 'recipe' in refused('hf://o/r', 'recipe')
    hub.refuse = True
    assert 'hf://o/r cannot be written' in refused('hf://o/r')
    monkeypatch.delenv('HF_TOKEN')
    assert 'HF_TOKEN is not set' in refused('hf://o/r')
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    assert 'huggingface_hub is not installed' in refused('hf://o/r')
    assert not hub.files
