"""Extract features of every video of a list into a table, once.

A table lies on disk under a name that hashes all that it depends on, and is made on one
process or several.
"""

import copy
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from mmengine import dist
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmkd.datasets.bad_videos import guard
from mmkd.evaluation.feature_store import FeatureStore, Tensors
from mmkd.evaluation.features import FeatureEncoder, ScoreEncoder
from mmkd.evaluation.lists import describe_list
from mmkd.files import write_json
from mmkd.progress import track

Encode = Callable[[Any], list[Tensors]]

SCORES = ('score',)  # the columns of a table of scores
_LOOK = 1.0  # seconds
_FORMAT = 1
_DECODERS = ('torch', 'decord', 'opencv-python')


def make_table(
    cfg: Config,
    model: BaseModel,
    weights: str,
    loader: dict[str, Any],
    columns: tuple[str, ...],
    work_dir: Path,
    label: str,
) -> FeatureStore:
    """Return the table of what a model makes of a list, made now if it is not there.

    The columns are :data:`SCORES` or names in
    :data:`~mmkd.evaluation.features.POOLINGS`; see
    :func:`open_table` for the others, and :func:`fill_store` for ``label``.
    """
    encoder: Callable[[], Encode] = partial(FeatureEncoder, model, columns)
    if columns == SCORES:
        encoder = partial(ScoreEncoder, model)
    store = open_table(cfg, loader, weights, columns, work_dir)
    fill_store(store, loader, encoder, label)
    return store


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


def fill_store(
    store: FeatureStore,
    loader: dict[str, Any],
    encode: Callable[[], Encode],
    label: str,
) -> None:
    """Make a table of all videos, unless it is there already.

    Every process makes the blocks that fall to it, and the first one joins them. All
    processes must call it and see the same folder.

    Args:
        store: Where the table goes.
        loader: Config of a data loader; its sampler and batch size do not matter.
        encode: Gives the function from a raw batch to its records. Asked only if there
            is something to do.
        label: Text for the progress display.
    """
    if _is_finished(store):
        return
    _wait_for_turn(store)
    try:
        if _is_finished(store):  # by the run that was waited for
            return
        blocks = store.missing(dist.get_rank(), dist.get_world_size())
        if blocks:
            _fill_blocks(store, blocks, loader, encode(), label)
        dist.barrier()
        if dist.is_main_process():
            store.merge()
        dist.barrier()
    finally:
        store.let_go()


def _is_finished(store: FeatureStore) -> bool:
    return _agreed(dist.is_main_process() and store.read() is not None)


def _wait_for_turn(store: FeatureStore) -> None:
    """Wait while another run makes the table.

    The processes of this run meet again and again, so that none gives up.
    """
    first, waits = dist.is_main_process(), False
    while not _agreed(first and store.try_hold()):
        if first and not waits:
            print(f'waiting for another run that makes {store.path}', flush=True)
        waits = True
        time.sleep(_LOOK)


def _agreed(here: bool) -> bool:
    """Return what the first process sees: files may appear between two looks."""
    flag = torch.tensor([int(here)])
    dist.broadcast(flag, src=0)
    return bool(flag.item())


def _fill_blocks(
    store: FeatureStore,
    blocks: list[int],
    loader: dict[str, Any],
    encode: Encode,
    label: str,
) -> None:
    positions = [position for block in blocks for position in store.positions(block)]
    batches = build_loader(loader, positions)
    if dist.is_main_process():
        batches = track(batches, label, total=len(positions))  # type: ignore[assignment]
    records = (record for batch in batches for record in encode(batch))
    for block in blocks:
        store.write(block, [next(records) for _ in store.positions(block)])


def build_loader(loader: dict[str, Any], positions: list[int]) -> DataLoader:
    """Return a loader of the videos at some positions of a list, one at a time."""
    loader = copy.deepcopy(loader)
    dataset = DATASETS.build(loader.pop('dataset'))
    guard(dataset)  # what goes wrong at a sample is one line
    dropped = (
        *('sampler', 'batch_sampler', 'batch_size', 'drop_last'),
        'persistent_workers',  # one pass, and an error without workers
    )
    options = {k: v for k, v in loader.items() if k not in dropped}
    return Runner.build_dataloader(
        {**options, 'dataset': dataset, 'sampler': positions, 'batch_size': 1}, seed=0
    )
