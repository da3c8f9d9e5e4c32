"""Each patch: works where its cause is present, has no effect where it is not."""

import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import warnings
from importlib.machinery import SourceFileLoader
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub

from mmkd import compat
from mmkd.compat import PATCHES, missing, table
from mmkd.compat.patch import after_import
from mmkd.compat.plain import to_plain
from mmkd.compat.table import PLAIN_MESSAGE_HUB
from mmkd.errors import UserError
from tests.engine.toy import toy_runner

ROOT = Path(__file__).resolve().parents[1]
INHERITED = os.environ.get('PYTHONPATH', '')

# Makes modules as absent as if they had never been installed.
HIDE = """
import sys
from importlib.machinery import PathFinder
hidden = {hidden!r}
real = PathFinder.find_spec
def find_spec(name, path=None, target=None):
    return None if name.split('.')[0] in hidden else real(name, path, target)
PathFinder.find_spec = find_spec
sys.meta_path = [f for f in sys.meta_path if 'Distutils' not in type(f).__name__]
"""
SHOW = 'import json, mmkd.compat; print(json.dumps([{}, mmkd.compat.applied()]))'


def run(code: str, result: str, hidden: tuple[str, ...] = (), path: str = '') -> list:
    """Run code in a new process; return the value of ``result`` and the patches."""
    script = HIDE.format(hidden=hidden) + dedent(code) + '\n' + SHOW.format(result)
    env = {**os.environ, 'PYTHONPATH': os.pathsep.join([path, INHERITED, str(ROOT)])}
    command = [sys.executable, '-W', 'ignore', '-c', script]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_importing_mmkd_is_silent_and_adds_one_finder_at_most():
    """It imports neither torch nor MMAction2, which take seconds."""
    code = """
import sys
before = list(sys.meta_path)
import mmkd
added = [finder for finder in sys.meta_path if finder not in before]
assert [type(one).__module__ for one in added] == ['mmkd.compat.patch'], added
assert not {'torch', 'mmaction', 'mmcv', 'mmkd.models'} & set(sys.modules)
"""
    command = [sys.executable, '-c', code]
    env = {**os.environ, 'PYTHONPATH': str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


def test_a_watched_module_is_what_it_is_unwatched(tmp_path, monkeypatch):
    (tmp_path / 'watched_once.py').write_text('value = 1\n')
    monkeypatch.syspath_prepend(tmp_path)
    seen = []
    after_import('watched_once', lambda: seen.append(sys.modules['watched_once'].value))
    import watched_once

    assert seen == [1]
    assert type(watched_once.__loader__) is SourceFileLoader
    assert watched_once.__spec__.loader is watched_once.__loader__
    assert inspect.getsource(watched_once) == 'value = 1\n'
    importlib.reload(watched_once)
    assert seen == [1]


def test_every_patch_has_a_name_of_its_own_and_a_link():
    assert len({patch.name for patch in PATCHES}) == len(PATCHES)
    assert all(patch.link.startswith('https://') for patch in PATCHES)
    # A release by its number, or None where no release without the fault is known.
    fixed = [patch.fixed_in for patch in PATCHES if patch.fixed_in is not None]
    assert all(re.fullmatch(r'[a-z0-9-]+ \d[\d.]*', text) for text in fixed)


def test_the_page_shows_the_table():
    lines = (ROOT / 'docs/patches.md').read_text(encoding='utf-8').splitlines()
    for feature in (False, True):
        rows = [
            f'| [{one.name}]({one.link}) | {one.when} | {one.fixed_in or "none"} |'
            for one in PATCHES
            if one.feature is feature
        ]
        start = lines.index(rows[0])
        assert lines[start : start + len(rows)] == rows
        # Nothing that is no longer there.
        assert not ''.join(lines[start + len(rows) :][:1])


def test_a_second_apply_changes_nothing():
    before = compat.applied(), MessageHub.state_dict, len(sys.meta_path)
    compat.apply()
    assert before == (compat.applied(), MessageHub.state_dict, len(sys.meta_path))


def test_models_import_without_drn_and_say_so_when_it_is_built():
    import mmaction.models
    from mmaction.registry import MODELS

    if table.NO_DRN.name not in compat.applied():
        pytest.skip('this mmaction2 contains drn')
    assert mmaction.models.localizers.DRN is MODELS.get('DRN')
    with pytest.raises(UserError, match='lacks mmaction/models/localizers/drn'):
        MODELS.build({'type': 'DRN'})


def test_drn_is_left_alone_where_it_is_there(tmp_path, monkeypatch):
    folder = tmp_path / 'models' / 'localizers'
    (folder / 'drn').mkdir(parents=True)

    class Spec:
        origin = str(tmp_path / '__init__.py')

    monkeypatch.setattr(missing, 'find_spec', lambda name: Spec)
    assert table.NO_DRN.needed()
    (folder / 'drn' / 'drn.py').touch()
    assert not table.NO_DRN.needed()


@pytest.mark.parametrize('hidden', [(), ('importlib_metadata',)])
def test_importlib_metadata(hidden):
    same, patches = run(
        'import mmkd, importlib.metadata, importlib_metadata',
        'importlib_metadata is importlib.metadata',
        hidden,
    )
    absent = bool(hidden)
    assert same is absent
    assert (table.NO_IMPORTLIB_METADATA.name in patches) is absent


PACKAGES = """
    import mmkd
    from mmengine.config import Config
    from mmengine.config.config import get_installed_path, is_installed
    cfg = Config.fromstring("_base_ = 'mmaction::_base_/default_runtime.py'", '.py')
    try:
        get_installed_path('no_such_package')
        missing = 'nothing raised'
    except Exception as error:
        missing = type(error).__name__
    path = lambda name: get_installed_path(name).replace('\\\\', '/').split('/')[-1]
"""
PACKAGES_RESULT = """[cfg.default_scope, is_installed('mmcv-lite'),
    is_installed('mmaction'), is_installed('no_such_package'), path('mmaction'),
    path('mmcv-lite'), missing, is_installed.__module__]"""


@pytest.mark.parametrize('hidden', [(), ('pkg_resources',)])
def test_package_lookup_without_pkg_resources(hidden):
    if not hidden:
        pytest.importorskip('pkg_resources', exc_type=ImportError)
    lookup = inspect.getsource(sys.modules['mmengine.utils.package_utils'])
    asks = 'pkg_resources' in lookup  # onedl-mmengine does not
    result, patches = run(PACKAGES, PACKAGES_RESULT, hidden)
    *values, missing_error, module = result
    assert values == ['mmaction', True, True, False, 'mmaction', 'mmcv']
    patched = module == 'mmkd.compat.package_lookup'
    assert patched is (asks and bool(hidden))
    assert patched is ('mmengine: pkg_resources is gone from setuptools 82' in patches)
    assert missing_error == (
        'DistributionNotFound' if asks and not hidden else 'PackageNotFoundError'
    )


TORCHVISION = 'mmengine: torchvision of another build than torch'


@pytest.mark.parametrize('broken', [False, True])
def test_a_broken_torchvision_does_not_end_the_run(tmp_path, broken):
    fake = tmp_path / 'torchvision'
    fake.mkdir()
    body = "raise RuntimeError('operator torchvision::nms does not exist')"
    (fake / '__init__.py').write_text(body if broken else "__version__ = '7'")
    report, patches = run(
        'import mmkd\nfrom mmengine.utils.dl_utils import collect_env',
        'collect_env().get("TorchVision")',
        path=str(tmp_path),
    )
    assert report == (None if broken else '7')
    assert (TORCHVISION in patches) is broken


@pytest.mark.parametrize('hidden', [(), ('distutils',)])
def test_the_environment_is_reported_without_distutils(hidden):
    asked = subprocess.run([sys.executable, '-c', 'import distutils'])
    if not hidden and asked.returncode:
        pytest.skip('this Python has no distutils')
    version, patches = run(
        'import mmkd\nfrom mmengine.utils.dl_utils import collect_env',
        'collect_env()["MMEngine"]',
        hidden,
    )
    assert version == __import__('mmengine').__version__
    assert ('mmengine: distutils is gone from Python 3.12' in patches) is bool(hidden)


def test_to_plain_keeps_values_and_types():
    tensor = torch.ones(2)
    nest = {
        'a': np.float64(1.5),
        np.int64(3): [np.bool_(True), (np.int32(2), None)],
        'array': np.arange(3, dtype=np.int16),
        'names': np.array(['x', 'y']),
        'tensor': tensor,
        'function': len,
    }
    result = to_plain(nest, 'nest')
    array = result.pop('array')
    assert torch.equal(array, torch.tensor([0, 1, 2], dtype=torch.int16))
    assert result.pop('tensor') is tensor
    assert result == {'a': 1.5, 3: [True, (2, None)], 'names': ['x', 'y']}
    assert type(result['a']) is float and type(result[3][0]) is bool


def test_to_plain_names_what_it_leaves_out(monkeypatch):
    lines = []
    monkeypatch.setattr(
        'mmkd.compat.plain.print_log', lambda text, **_: lines.append(text)
    )
    assert to_plain({'a': {'b': [1, object()]}}, 'meta') == {'a': {'b': [1]}}
    assert lines == ['left out of the checkpoint (not plain data): meta.a.b[1]']


def hub_with_values() -> MessageHub:
    hub = MessageHub('plain')
    for value in (1.0, 2.0, 6.0):
        hub.update_scalar('loss', value, count=2)
    hub.update_scalar('gone', 1.0, resumed=False)
    hub.update_info('best', np.float32(0.5))
    return hub


def test_message_hub_survives_a_safe_load(tmp_path):
    torch.save(hub_with_values().state_dict(), tmp_path / 'hub.pth')
    state = torch.load(tmp_path / 'hub.pth', weights_only=True)
    hub = MessageHub('other')
    hub.load_state_dict(state)
    history, count = hub.get_scalar('loss').data
    assert history.tolist() == [1.0, 2.0, 6.0] and history.dtype == np.float64
    assert count.tolist() == [2, 2, 2]
    assert hub.get_scalar('loss').mean(2) == 2.0
    assert hub.get_info('best') == 0.5
    assert 'gone' not in hub.log_scalars


def test_message_hub_still_takes_the_form_of_upstream():
    hub = MessageHub('old')
    scalars = {'loss': HistoryBuffer([3.0], [1])}
    state = {'log_scalars': scalars, 'runtime_info': {}, 'resumed_keys': {'loss': True}}
    hub.load_state_dict(state)
    assert hub.get_scalar('loss').current() == 3.0


def test_a_plain_message_hub_needs_no_patch():
    assert PLAIN_MESSAGE_HUB.name in compat.applied()
    assert not PLAIN_MESSAGE_HUB.needed()  # patched, hence as a repaired upstream is


@pytest.mark.parametrize('stop', ['interrupted', 'extended'])
def test_resumed_training_equals_uninterrupted_training(tmp_path, stop):
    straight = toy_runner(tmp_path / 'run', epochs=4)
    straight.train()
    if stop == 'extended':  # trained for two epochs first, then for two more
        toy_runner(tmp_path / 'run', epochs=2).train()
    last = str(tmp_path / 'run' / 'epoch_2.pth')
    resumed = toy_runner(tmp_path / 'on', epochs=4, load_from=last, resume=True)
    resumed.train()
    for key, value in straight.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key]), key
    losses = [
        r.message_hub.get_scalar('train/loss').data[0] for r in (straight, resumed)
    ]
    assert len(losses[0]) == 16
    np.testing.assert_array_equal(*losses)


def test_checkpoints_of_a_runner_load_without_running_code(tmp_path):
    runner = toy_runner(tmp_path)
    runner.train()
    meta = {'score': np.float32(0.25), 'when': np.int64(3)}
    runner.save_checkpoint(str(tmp_path), 'extra.pth', meta=meta)
    for name in ('epoch_2.pth', 'extra.pth'):
        checkpoint = torch.load(tmp_path / name, weights_only=True)
    assert checkpoint['meta']['score'] == 0.25 and checkpoint['meta']['when'] == 3
    assert checkpoint['meta']['dataset_meta'] == {'classes': ('even', 'odd')}
    assert checkpoint['state_dict']._metadata['backbone.1'] == {'version': 2}
    # Nothing was allowed beyond what torch allows itself.
    allowed = torch.serialization.get_safe_globals()
    assert getattr not in allowed
    code = (
        'import torch\n'
        'for one in torch.serialization.get_safe_globals():\n'
        '    print(f"{one.__module__}.{one.__qualname__}")'
    )
    command = [sys.executable, '-W', 'ignore', '-c', code]
    own = subprocess.run(command, capture_output=True, text=True).stdout.split()
    names = {f'{one.__module__}.{one.__qualname__}' for one in allowed}
    assert {name for name in names if not name.startswith('torch.')} <= set(own)


def test_an_old_checkpoint_gets_one_clear_line(tmp_path):
    path = tmp_path / 'old.pth'
    hub = {'log_scalars': {'loss': HistoryBuffer([1.0], [1])}}
    torch.save({'state_dict': {}, 'message_hub': hub}, path)
    runner = toy_runner(tmp_path)
    with pytest.raises(UserError, match='HistoryBuffer') as caught:
        runner.load_checkpoint(str(path))
    assert str(path) in str(caught.value) and "'state_dict'" in caught.value.remedy


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize('unsafe_upstream', [False, True])
def test_code_in_a_checkpoint_does_not_run(tmp_path, monkeypatch, unsafe_upstream):
    path, harm = tmp_path / 'evil.pth', tmp_path / 'harm'
    torch.save({'state_dict': {}, 'meta': Evil(harm)}, path)
    if unsafe_upstream:  # as torch < 2.6, or a release that asks for it
        load = torch.load
        monkeypatch.setattr(
            torch, 'load', lambda *a, **k: load(*a, **{'weights_only': False, **k})
        )
    runner = toy_runner(tmp_path)
    with pytest.raises(UserError, match=r'mkdir'):
        runner.load_checkpoint(str(path))
    assert not harm.exists()


def test_a_damaged_checkpoint_gets_one_clear_line(tmp_path):
    path = tmp_path / 'cut.pth'
    torch.save({'state_dict': {'w': torch.ones(1000)}}, path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UserError, match=r'cut\.pth is damaged'):
        toy_runner(tmp_path).load_checkpoint(str(path))
    with pytest.raises(UserError, match=r'none\.pth does not exist'):
        toy_runner(tmp_path).load_checkpoint(str(tmp_path / 'none.pth'))


def test_the_patch_of_saving_asks_torch(monkeypatch):
    assert table.PLAIN_CHECKPOINTS.needed()
    monkeypatch.setattr(torch, 'load', lambda *args, **kwargs: {'score': 1.0})
    assert not table.PLAIN_CHECKPOINTS.needed()


@pytest.mark.parametrize('device', ['cpu', 'cuda'])
def test_distribution_is_patched_on_cpu_only(monkeypatch, device):
    monkeypatch.setattr('mmengine.device.get_device', lambda: device)
    assert table.CPU_PROCESS_GROUP.needed() is (device == 'cpu')
    assert table.CPU_DATA_PARALLEL.needed() is (device == 'cpu')


@pytest.mark.parametrize(
    ('versions', 'expected'),
    [
        ({'mmcv-lite': '2.1.0', 'setuptools': '81.0.0'}, [True, True]),
        ({'mmcv': '2.1.0', 'setuptools': '80.8.0'}, [False, False]),
        ({'setuptools': '80.9.0'}, [False, True]),
        ({'setuptools': '84.2.1'}, [False, False]),
    ],
)
def test_import_warnings_are_silenced_only_where_they_come(
    versions, expected, monkeypatch
):
    def version(package):
        if package not in versions:
            raise missing.PackageNotFoundError(package)
        return versions[package]

    monkeypatch.setattr(missing, 'version', version)
    patches = table.OPERATOR_WARNING, table.PKG_RESOURCES_WARNING
    assert [patch.needed() for patch in patches] == expected


def test_other_warnings_still_come_through():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter('always')
        table.PKG_RESOURCES_WARNING.apply()
        warnings.warn('pkg_resources is deprecated as an API', stacklevel=1)
        warnings.warn('something else', stacklevel=1)
    assert [str(w.message) for w in seen] == ['something else']
