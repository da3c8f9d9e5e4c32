"""Extract features of every video of a list, on one process or several."""

import copy
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine import dist
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmkd.datasets.bad_videos import guard
from mmkd.evaluation.feature_store import FeatureStore, Tensors
from mmkd.evaluation.features import FeatureEncoder, ScoreEncoder
from mmkd.evaluation.open_table import open_table
from mmkd.progress import track

Encode = Callable[[Any], list[Tensors]]

SCORES = ('score',)  # the columns of a table of scores
_LOOK = 1.0  # seconds


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
    :func:`~mmkd.evaluation.open_table.open_table` for the others, and
    :func:`fill_store` for ``label``.
    """
    encoder: Callable[[], Encode] = partial(FeatureEncoder, model, columns)
    if columns == SCORES:
        encoder = partial(ScoreEncoder, model)
    store = open_table(cfg, loader, weights, columns, work_dir)
    fill_store(store, loader, encoder, label)
    return store


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
