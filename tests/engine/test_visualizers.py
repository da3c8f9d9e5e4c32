"""``--visualizer`` adds a backend, or says what to install."""

import pytest
from mmengine.config import Config

from mmkd.engine import options
from mmkd.engine.options import add_visualizer
from mmkd.errors import UserError


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, 'find_spec', lambda name: name)


@pytest.mark.parametrize(
    ('name', 'backend'),
    [('tensorboard', 'TensorboardVisBackend'), ('wandb', 'WandbVisBackend')],
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
