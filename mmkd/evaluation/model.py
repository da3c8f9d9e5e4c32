"""Build the network to be evaluated and give it weights."""

import sys
from collections.abc import Mapping
from typing import Any

import torch
from mmengine import dist
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from mmengine.runner.checkpoint import _load_checkpoint
from torch import nn

from mmkd.engine.hooks.input_convention import KEY
from mmkd.engine.load_weights import grouped, load_weights
from mmkd.errors import UserError

RANDOM = 'random'


def load_model(cfg: Config, checkpoint: str | None, seed: int = 0) -> BaseModel:
    """Build the config's model and fill its backbone.

    Args:
        cfg: A fine-tuning config.
        checkpoint: File with ``backbone.*`` tensors. None keeps the random start,
            which is the honest lower bound of every protocol.
        seed: Of the random start. Defaults to 0.

    Raises:
        UserError: If the file cannot be read safely, or does not hold exactly this
            backbone.
    """
    torch.manual_seed(seed)
    model = MODELS.build(cfg.model)
    model.init_weights()
    if checkpoint is not None:
        fill_backbone(model, checkpoint)
    return model.to(get_device())


def load_whole_model(cfg: Config, checkpoint: str) -> BaseModel:
    """Build the config's model with all weights of a checkpoint of it.

    Raises:
        UserError: If the file cannot be read safely, or a weight is missing in it.
    """
    model = MODELS.build(cfg.model)
    content = _load_checkpoint(checkpoint, map_location='cpu')
    report = load_weights(model, content.get('state_dict', content))
    report.raise_if_incomplete(f'checkpoint {checkpoint}')
    return model.to(get_device())


def fill_backbone(model: BaseModel, checkpoint: str) -> None:
    """Load ``backbone.*`` of a checkpoint, strictly.

    Args:
        model: Model with a ``backbone``.
        checkpoint: File or address that MMEngine reads.

    Raises:
        UserError: If the file is not there, cannot be read safely, or does not hold
            exactly this backbone.
    """
    source = f'checkpoint {checkpoint}'
    content = _load_checkpoint(checkpoint, map_location='cpu')
    part = nn.ModuleDict({'backbone': model.backbone})
    report = load_weights(part, content.get('state_dict', content))
    report.raise_if_useless(source)
    report.raise_if_incomplete(source)
    extra = [key for key in report.unused if key.startswith('backbone.')]
    if extra:
        raise UserError(
            f'{source} holds another backbone: it has beyond this one '
            f'{grouped([key.removeprefix("backbone.") for key in extra])}',
            'Use the config of the same network.',
        )
    _compare_pixels(model, content.get('meta') or {}, source)


def _compare_pixels(model: BaseModel, meta: Mapping[str, Any], source: str) -> None:
    """Warn, in one line, if the weights were trained with other pixels."""
    convention = getattr(model.data_preprocessor, 'convention', None)
    theirs = meta.get(KEY)
    if convention is None or theirs in (None, convention.as_dict()):
        return
    if dist.is_main_process():
        print(
            f'warning: {source} was trained with input convention {theirs}, the '
            f'config feeds {convention.as_dict()}',
            file=sys.stderr,
        )
