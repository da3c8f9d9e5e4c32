"""``--visualizer`` adds a backend, or says what to install."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mmengine.config import Config
from mmengine.registry import VISBACKENDS
from mmengine.visualization import Visualizer

from mmkd.engine import options
from mmkd.engine.options import add_visualizer
from mmkd.errors import UserError


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, 'find_spec', lambda name: name)


@pytest.mark.parametrize(
    ('name', 'backend'),
    [
        ('tensorboard', 'TensorboardVisBackend'),
        ('wandb', 'WandbVisBackend'),
        ('trackio', 'mmkd.TrackioVisBackend'),
        ('mlflow', 'MLflowVisBackend'),
        ('swanlab', 'mmkd.SwanlabVisBackend'),
    ],
)
def test_the_backend_is_added_beside_the_others(
    installed: None, name: str, backend: str
) -> None:
    before = {'type': 'ActionVisualizer', 'vis_backends': [{'type': 'LocalVisBackend'}]}
    cfg = Config({'visualizer': before})
    add_visualizer(cfg, name)
    add_visualizer(cfg, name)
    kinds = [entry['type'] for entry in cfg.visualizer.vis_backends]
    assert (cfg.visualizer.type, kinds) == (
        'ActionVisualizer',
        ['LocalVisBackend', backend],
    )


def test_a_config_without_a_visualizer_keeps_its_log(installed: None) -> None:
    cfg = Config({})
    add_visualizer(cfg, 'wandb')
    kinds = [entry['type'] for entry in cfg.visualizer.vis_backends]
    assert kinds == ['LocalVisBackend', 'WandbVisBackend']


def test_an_absent_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, 'find_spec', lambda name: None)
    with pytest.raises(UserError) as error:
        add_visualizer(Config({}), 'wandb')
    assert str(error.value) == (
        '--visualizer wandb: the package wandb is not installed. '
        'Type pip install wandb.'
    )


@pytest.mark.parametrize('package', ['trackio', 'swanlab'])
def test_a_tracker_is_told_every_number(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What MMEngine's hooks call, on a stand-in with the tracker's three functions."""
    told: list[tuple[str, Any]] = []
    tracker: Any = ModuleType(package)
    tracker.init = lambda **given: told.append(('init', given))
    tracker.log = lambda numbers, step: told.append(('log', (numbers, step)))
    tracker.finish = lambda: told.append(('finish', None))
    monkeypatch.setitem(sys.modules, package, tracker)
    folder = tmp_path / 'vspp' / '20990101_000000'
    backend = {'type': options.VISUALIZERS[package]}
    visualizer = Visualizer(vis_backends=[backend], save_dir=str(folder))
    assert told == []  # nothing before there is something to tell
    visualizer.add_config(Config({'a': 1}))
    visualizer.add_scalars({'loss': 0.5, 'step': 3}, step=3)
    visualizer.add_scalar('acc/top1', 0.25, step=1)
    visualizer.close()
    visualizer.close()
    assert [kind for kind, _ in told] == ['init', 'log', 'log', 'finish']
    given = told[0][1]
    assert (given['project'], given['name']) == ('mmkd', 'vspp/20990101_000000')
    assert told[1][1] == ({'loss': 0.5}, 3)
    assert told[2][1] == ({'acc/top1': 0.25}, 1)
    assert ('mode' in given) is (package == 'swanlab')


@pytest.mark.parametrize('name', ['trackio', 'mlflow', 'swanlab', 'tensorboard'])
def test_the_real_tracker(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the package is installed: it takes the numbers, without any network."""
    # Before the import, which reads it.
    monkeypatch.setenv('TRACKIO_DIR', str(tmp_path / 'trackio'))
    pytest.importorskip(name)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / 'run' / 'now' / 'vis_data'
    kind = options.VISUALIZERS[name]
    backend = VISBACKENDS.build({'type': kind, 'save_dir': str(folder)})
    backend.add_config(Config({'a': 1}))
    backend.add_scalars({'loss': 0.5}, step=3)
    backend.close()
    assert any(path.is_file() for path in tmp_path.rglob('*'))
