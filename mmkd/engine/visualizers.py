"""``--visualizer``: where the curves of a training are shown."""

from importlib.util import find_spec

from mmengine.config import Config

from mmkd.errors import UserError

# Package, which is the value of the option, and MMEngine's backend.
VISUALIZERS = {'tensorboard': 'TensorboardVisBackend', 'wandb': 'WandbVisBackend'}


def add_visualizer(cfg: Config, name: str) -> None:
    """Add a backend to the visualizer of a config, beside those that it has.

    Args:
        cfg: The config; changed in place.
        name: A key of :data:`VISUALIZERS`.

    Raises:
        UserError: If the package that the backend needs is not installed.
    """
    if find_spec(name) is None:
        what = f'--visualizer {name}: the package {name} is not installed'
        raise UserError(what, f'Type pip install {name}.')
    backend = VISUALIZERS[name]
    visualizer = cfg.get('visualizer') or {'type': 'Visualizer'}
    backends = list(visualizer.get('vis_backends') or [{'type': 'LocalVisBackend'}])
    if backend not in [entry['type'] for entry in backends]:
        backends.append({'type': backend})
    cfg.visualizer = {**visualizer, 'vis_backends': backends}
