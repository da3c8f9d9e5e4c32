"""What ``pip install .`` gives: configs and tools that work from any folder."""

import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from mmkd.transfer.model_index import Index
from tests.commands.doctor.broken_site import empty_environment
from tests.shared_files import ROOT

PARTS = ['mmkd', 'mmkd_command.py', 'configs', 'tools', 'requirements'] + [
    'model-index.yml',
    'pyproject.toml',
    'README.md',
]


@pytest.fixture(scope='module')
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the built wheel, and the packages of this one below it."""
    pytest.importorskip('setuptools', reason='a wheel is built by setuptools')
    folder = tmp_path_factory.mktemp('installed')
    source = folder / 'source'
    source.mkdir()
    for part in PARTS:
        path = ROOT / part
        if path.is_dir():
            ignored = shutil.ignore_patterns('__pycache__')
            shutil.copytree(path, source / part, symlinks=True, ignore=ignored)
        else:
            shutil.copy(path, source / part)
    subprocess.run(
        [sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps']
        + ['--no-build-isolation', '--wheel-dir', str(folder), str(source)],
        check=True,
    )
    python = empty_environment(folder / 'venv')
    (site,) = (folder / 'venv').glob('lib/python*/site-packages')
    (site / 'below.pth').write_text(sysconfig.get_path('purelib') + '\n')
    (wheel,) = folder.glob('mmkd-*.whl')
    zipfile.ZipFile(wheel).extractall(site)
    return python


def run(python: Path, folder: Path, *command: str) -> str:
    child = subprocess.run(
        [str(python), *command],
        cwd=folder,
        env={'PATH': '/usr/bin:/bin', 'HOME': str(folder), 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert child.returncode == 0, child.stderr
    return child.stdout


def mim_folder(python: Path) -> Path:
    (site,) = python.parents[1].glob('lib/python*/site-packages')
    return site / 'mmkd' / '.mim'


def test_templates_of_the_report_are_shipped(python: Path) -> None:
    installed = mim_folder(python).parent / 'commands/report/templates'
    kept = ROOT / 'mmkd/commands/report/templates'
    names = sorted(path.name for path in kept.iterdir())
    assert 'page.html' in names
    assert sorted(path.name for path in installed.iterdir()) == names


def test_type_checkers_may_read_the_package(python: Path) -> None:
    assert (mim_folder(python).parent / 'py.typed').is_file()


def test_every_config_is_shipped(python: Path) -> None:
    shipped = mim_folder(python) / 'configs'
    for suffix in ('py', 'yml'):
        names = {p.relative_to(shipped) for p in shipped.rglob(f'*.{suffix}')}
        folder = ROOT / 'configs'
        assert names == {p.relative_to(folder) for p in folder.rglob(f'*.{suffix}')}
        assert len(names) > 10


def test_another_project_builds_on_a_config(python: Path, tmp_path: Path) -> None:
    mine = "_base_ = 'mmkd::auxskd/r3d_k100.py'\ntrain_cfg = dict(max_epochs=3)\n"
    (tmp_path / 'mine.py').write_text(mine)
    code = """
import json, mmkd
from mmengine.config import Config
from mmengine.hub import get_config
cfg = Config.fromfile('mine.py')
hub = get_config('mmkd::vspp/r3d_k100.py')
print(json.dumps([cfg.train_cfg.max_epochs, cfg.model.type, cfg.model._scope_,
                  hub.model.type, list(hub.model.tasks)]))
"""
    answer = json.loads(run(python, tmp_path, '-W', 'ignore', '-c', code))
    assert answer == [3, 'mmkd.Pretrainer', 'mmaction', 'mmkd.Pretrainer', ['vspp']]


def test_the_tools_find_their_files(python: Path, tmp_path: Path) -> None:
    tools = mim_folder(python) / 'tools'
    models = run(python, tmp_path, str(tools / 'zoo.py'), 'list').splitlines()[-1]
    here = run(python, tmp_path, str(ROOT / 'tools/zoo.py'), 'list').splitlines()[-1]
    assert models == here
    report = run(python, tmp_path, str(tools / 'doctor.py'), '--only', 'python')
    assert report.startswith('ok    Python  ')


def test_the_tools_open_its_configs_and_data_sets(python: Path, tmp_path: Path) -> None:
    code = """
import json
from pathlib import Path
from mmkd.evaluation.lists import read_with_data
from mmkd.commands.pipeline import read_pipeline
cfg = read_with_data('mmkd::finetune/r3d_ucf101.py', 2, 'hmdb51')
stages, _ = read_pipeline(Path('mmkd::pipelines/tiny_synthetic.py'))
print(json.dumps([cfg.test_dataloader.dataset.ann_file,
                  cfg.model.cls_head.num_classes,
                  all(stage.config.is_file() for stage in stages) and len(stages) > 2]))
"""
    said = run(python, tmp_path, '-W', 'ignore', '-c', code)
    answer = json.loads(said.splitlines()[-1])
    assert answer == ['data/hmdb51/test_split2.txt', 51, True]


def test_the_zoo_of_a_checkout(python: Path, tmp_path: Path) -> None:
    """The weights are not in the wheel; it says where to have them."""
    name = next(m.name for m in Index().published() if m.address is None)
    code = (
        'import sys\nfrom mmkd.errors import UserError\n'
        'from mmkd.transfer.published import resolve\n'
        f'try:\n    print(resolve("mmkd://{name}"))\n'
        'except UserError as error:\n    print(error)'
    )
    said = run(python, tmp_path, '-W', 'ignore', '-c', code)
    assert said.endswith('of a checkout of mmkd, or its address, in MMKD_ZOO.\n')
    code = f'import os; os.environ["MMKD_ZOO"] = {str(ROOT / "zoo")!r}\n{code}'
    path = Path(run(python, tmp_path, '-W', 'ignore', '-c', code).strip())
    assert path.parent == ROOT / 'zoo' and path.is_file()


def test_a_program_that_knows_nothing_of_mmkd(python: Path, tmp_path: Path) -> None:
    """It is told that it cannot read ``mmkd::``; a complete config it can read."""
    (tmp_path / 'mine.py').write_text("_base_ = 'mmkd::auxskd/r3d_k100.py'\n")
    code = """
import json, sys
from mmengine.config import Config
assert 'mmkd' not in sys.modules
try:
    Config.fromfile('mine.py')
except AssertionError as error:
    said = str(error)
cfg = Config.fromfile('complete.py')
print(json.dumps([said, cfg.model.type, cfg.model._scope_, 'mmkd' in sys.modules]))
"""
    write = (
        'import mmkd; from mmengine.config import Config; '
        "Config.fromfile('mine.py').dump('complete.py')"
    )
    assert write in (ROOT / 'docs/other_projects.md').read_text()
    run(python, tmp_path, '-W', 'ignore', '-c', write)
    answer = json.loads(run(python, tmp_path, '-W', 'ignore', '-c', code))
    refusal = 'mmengine does not support to load mmkd config.'
    assert answer == [refusal, 'mmkd.Pretrainer', 'mmaction', True]


def test_nothing_runs_at_the_start_of_python(python: Path, tmp_path: Path) -> None:
    (site,) = python.parents[1].glob('lib/python*/site-packages')
    assert {p.name for p in site.glob('*.pth')} == {'below.pth'}
    own = {p.name for p in site.iterdir() if 'mmkd' in p.name}
    info = next(site.glob('mmkd-*.dist-info')).name
    assert own == {'mmkd', 'mmkd_command.py', info}
