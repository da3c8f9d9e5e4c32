"""Build the network to be evaluated and give it weights."""

import copy

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from mmengine.runner.checkpoint import _load_checkpoint
from torch import nn

from mmkd.engine.load_weights import grouped, load_weights
from mmkd.errors import UserError
from mmkd.models.input_adoption import (
    Pixels,
    adopt_input,
    choose_pixels,
    settle_input,
    write_input,
)

RANDOM = 'random'


def load_model(
    cfg: Config, checkpoint: str | None, seed: int = 0, pixels: Pixels | None = None
) -> BaseModel:
    """Build the config's model and fill its backbone; it feeds the weights their input.

    Args:
        cfg: A fine-tuning config.
        checkpoint: File with ``backbone.*`` tensors. None keeps the random start,
            which is the honest lower bound of every protocol.
        seed: Of the random start. Defaults to 0.
        pixels: ``'weights'`` feeds their input whatever the config says, ``'config'``
            what it names. Defaults to None: see
            :class:`~mmkd.models.clip_preprocessor.ClipPreprocessor`.

    Raises:
        UserError: If the file cannot be read safely, does not hold exactly this
            backbone, or was trained with another input than the config names.
    """
    torch.manual_seed(seed)
    model = _build(cfg, pixels)
    model.init_weights()
    if checkpoint is not None:
        _fill_backbone(model, checkpoint)
    else:
        settle_input(model)
    return model.to(get_device())


def load_whole_model(
    cfg: Config, checkpoint: str, pixels: Pixels | None = None
) -> BaseModel:
    """Build the config's model with all weights of a checkpoint of it, and its input.

    Args:
        cfg: Its config.
        checkpoint: File or address that MMEngine reads.
        pixels: See :func:`load_model`. Defaults to None.

    Raises:
        UserError: If the file cannot be read safely, a weight is missing in it, or it
            was trained with another input than the config names.
    """
    model = _build(cfg, pixels)
    content = _load_checkpoint(checkpoint, map_location='cpu')
    report = load_weights(model, content.get('state_dict', content))
    report.raise_if_incomplete(f'checkpoint {checkpoint}')
    adopt_input(model, content, f'checkpoint {checkpoint}')
    return model.to(get_device())


def settled(cfg: Config, model: BaseModel, pixels: Pixels | None = None) -> Config:
    """Return a copy of a config that says in words what its model is fed.

    ``model`` is what :func:`load_model` made of it with ``pixels``.
    """
    cfg = copy.deepcopy(cfg)
    choose_pixels(cfg, pixels)
    write_input(cfg, model)
    return cfg


def _build(cfg: Config, pixels: Pixels | None) -> BaseModel:
    if pixels is not None:
        cfg = copy.deepcopy(cfg)
        choose_pixels(cfg, pixels)
    return MODELS.build(cfg.model)


def _fill_backbone(model: BaseModel, checkpoint: str) -> None:
    """Load ``backbone.*`` of a checkpoint, strictly."""
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
    adopt_input(model, content, source)
