"""Build the parser that a config file describes."""

from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmkd.datasets.part_maps.identity import CacheIdentity, Form
from mmkd.errors import UserError
from mmkd.registry import MODELS


def build_parser(config: Path, device: str = 'cpu') -> Any:
    """Build a human parser.

    Args:
        config: File with ``parser = dict(type=...)``.
        device: Where to put it.

    Returns:
        A ``mmkd.models.human_parsers.HumanParser``.

    Raises:
        UserError: If the file, the parser or the device cannot be had.
    """
    if not config.is_file():
        raise UserError(
            f'{config} does not exist', 'Name a file of configs/human_parsers.'
        )
    try:
        cfg = Config.fromfile(config)
    except (SyntaxError, FileNotFoundError, ImportError) as error:
        raise UserError(f'{config} cannot be read: {error}') from error
    if not isinstance(cfg.get('parser'), dict):
        raise UserError(
            f'{config} has no parser', "Write parser = dict(type='mmkd.BodyPix', ...)."
        )
    init_default_scope('mmaction')
    try:
        parser = MODELS.build(cfg.parser)
    except (KeyError, TypeError) as error:
        raise UserError(f'{config}: {error.args[0]}', 'Correct parser.') from error
    for name in ('parse', 'identity', 'label_set'):
        if not hasattr(parser, name):
            raise UserError(f'{config}: {type(parser).__name__} is no human parser')
    return _to_device(parser, device)


def _to_device(parser: Any, device: str) -> Any:
    try:
        return parser.to(torch.device(device))
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f'device {device!r}: {reason}', 'Give another one.') from error


def identity_of(parser: Any, form: Form, size: int, stride: int) -> CacheIdentity:
    """Return the identity of a cache that this parser fills."""
    return CacheIdentity(parser.identity(), parser.label_set, form, size, stride)
