"""What a table of features depends on: its name in the cache."""

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mmengine.config import Config
from mmengine.device import get_device

from mmkd.evaluation.lists import describe_list

_FORMAT = 1
_DECODERS = ('torch', 'decord', 'opencv-python')


def table_facts(
    cfg: Config, loader: dict[str, Any], weights: str, columns: Sequence[str]
) -> dict[str, Any]:
    """Return everything that decides the values of a table.

    Args:
        cfg: Config with the model.
        loader: Config of the data loader: its list and its pipeline.
        weights: Fingerprint of the weights.
        columns: What the table holds of a video.
    """
    dataset = loader['dataset']
    model = cfg.model.to_dict()
    return {
        'format': _FORMAT,
        'weights': weights,
        'list': describe_list(dataset)['sha256'],
        'videos_in': str(dataset.get('data_prefix')),
        'pipeline': dataset['pipeline'],
        'pixels': model.get('data_preprocessor'),
        'network': model['backbone'],
        'columns': list(columns),
        'device': get_device(),
        'versions': {name: _version(name) for name in _DECODERS},
    }


def table_key(facts: dict[str, Any]) -> str:
    """Return 16 hexadecimal digits for a set of facts."""
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return 'unknown'
