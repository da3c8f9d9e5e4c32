"""Evaluate a backbone by several protocols with one command."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner

from mmkd.errors import UserError
from mmkd.evaluation.features import Features, extract_features
from mmkd.evaluation.retrieval import recall_at_k

Metrics = dict[str, float]


def retrieval(train: Features, test: Features) -> Metrics:
    """Return R@k of test videos, shape ``(Q, C)``, among training videos ``(G, C)``."""
    return recall_at_k(test.vectors, test.labels, train.vectors, train.labels)


PROTOCOLS: dict[str, Callable[[Features, Features], Metrics]] = {
    'retrieval': retrieval,
}


def load_model(cfg: Config, checkpoint: str | None, seed: int = 0) -> BaseModel:
    """Build the config's model and fill its backbone.

    Args:
        cfg: A fine-tuning config.
        checkpoint: File with ``backbone.*`` tensors. None keeps the random start,
            which is the honest lower bound of every protocol.
        seed: Of the random start. Defaults to 0.

    Raises:
        UserError: If a backbone tensor is missing in the file or has another shape.
    """
    torch.manual_seed(seed)
    model = MODELS.build(cfg.model)
    model.init_weights()
    if checkpoint is not None:
        fill_backbone(model, Path(checkpoint))
    return model.to(get_device())


def fill_backbone(model: BaseModel, path: Path) -> None:
    """Load ``backbone.*`` of a checkpoint, strictly.

    Raises:
        UserError: If the file is not there, cannot be read safely, or does not hold
            exactly this backbone.
    """
    if not path.is_file():
        raise UserError(f'checkpoint {path} is not there', 'Check the path.')
    try:
        file = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise UserError(f'checkpoint {path} cannot be read safely: {reason}') from error
    state = file.get('state_dict', file)
    prefix = 'backbone.'
    weights = {
        k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)
    }
    try:
        model.backbone.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(
            f'{path} does not hold this backbone: {str(error).splitlines()[1].strip()}',
            'Use the config of the same network.',
        ) from error


def feature_loaders(cfg: Config) -> dict[str, Any]:
    """Return loaders of the training and the test list, both with the test pipeline."""
    test = copy.deepcopy(cfg.test_dataloader)
    train = copy.deepcopy(cfg.test_dataloader)
    source = cfg.train_dataloader.dataset
    for key in ('ann_file', 'data_prefix'):
        train.dataset[key] = source[key]
    build = Runner.build_dataloader
    return {'train': build(train, seed=0), 'test': build(test, seed=0)}


def evaluate(cfg: Config, checkpoint: str | None, protocols: list[str]) -> Metrics:
    """Extract features once and measure them by every protocol.

    Args:
        cfg: A fine-tuning config: its lists and its test pipeline are used.
        checkpoint: See :func:`load_model`.
        protocols: Names in :data:`PROTOCOLS`.

    Returns:
        All figures by name.
    """
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    model = load_model(cfg, checkpoint)
    features = {
        name: extract_features(model, loader, f'the {name} list')
        for name, loader in feature_loaders(cfg).items()
    }
    result: Metrics = {}
    for name in protocols:
        result |= PROTOCOLS[name](features['train'], features['test'])
    return result
