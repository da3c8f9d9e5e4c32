"""Build a network of mmpose, which is an optional package."""

from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import DefaultScope
from torch import nn

from mmkd.errors import UserError


def build_estimator(config: Config) -> nn.Module:
    """Return mmpose's network of a config, without fetching any weights.

    Args:
        config: A config of mmpose, with a ``model``.

    Raises:
        UserError: If mmpose cannot be imported, or cannot build the model.
    """
    builder = _builder()
    model = config.model.to_dict()
    model.get('backbone', {}).pop('init_cfg', None)
    with DefaultScope.overwrite_default_scope('mmpose'):
        try:
            return builder(model)
        except (KeyError, TypeError, ValueError, AssertionError) as error:
            raise UserError(
                f'mmpose cannot build the model of {config.filename} ({error})',
                'Give a config of mmpose 1.3.',
            ) from error


def read_pose_config(path: str) -> Config:
    """Read a config of mmpose: a file, or ``mmpose::`` and a name that it ships.

    Raises:
        UserError: If mmpose cannot be imported, or there is no such config.
    """
    if path.startswith('mmpose::'):
        _builder()
    elif not Path(path).is_file():
        raise UserError(
            f'the pose config {path} does not exist',
            'Give a file, or mmpose:: and a config that mmpose ships.',
        )
    try:
        config = get_config(path) if '::' in path else Config.fromfile(path)
    except (OSError, SyntaxError, KeyError, AssertionError, ValueError) as error:
        raise UserError(
            f'the pose config {path} cannot be read ({error})', 'Check its name.'
        ) from error
    if not config.get('model'):
        raise UserError(f'the pose config {path} has no model')
    return config


def _builder() -> Any:
    """Return mmpose's builder, or say in one line what is missing for it."""
    try:
        from mmpose.models import build_pose_estimator
    except (ImportError, AssertionError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f'mmpose cannot be imported here ({reason})',
            'It needs mmdet and mmcv with compiled operators in an environment of '
            'their own: see requirements/mmpose.txt.',
        ) from error
    return build_pose_estimator
