"""Open the cache of features, under a file name that hashes all it depends on."""

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mmengine import dist
from mmengine.config import Config
from mmengine.device import get_device

from mmkd.evaluation.feature_store import FeatureStore
from mmkd.evaluation.lists import describe_list
from mmkd.files import write_json

_FORMAT = 1
_DECODERS = ('torch', 'decord', 'opencv-python')


def open_table(
    cfg: Config,
    loader: dict[str, Any],
    weights: str,
    columns: Sequence[str],
    work_dir: Path,
) -> FeatureStore:
    """Return the table of a list, and write beside it what it depends on.

    Args:
        cfg: Config with the model.
        loader: Config of the data loader: its list and its pipeline.
        weights: Fingerprint of the weights.
        columns: What the table holds of a video.
        work_dir: The table lies in its folder ``features``.
    """
    facts = table_facts(cfg, loader, weights, columns)
    path = work_dir / 'features' / f'{table_key(facts)}.pth'
    if dist.is_main_process():
        write_json(path.with_suffix('.json'), facts)
    return FeatureStore(path, describe_list(loader['dataset'])['videos'])


def table_facts(
    cfg: Config, loader: dict[str, Any], weights: str, columns: Sequence[str]
) -> dict[str, Any]:
    """Return everything that decides the values of a table; see :func:`open_table`."""
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
