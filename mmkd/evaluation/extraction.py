"""Bring every video of a list through a network, on one process or several."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from mmengine import dist
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmkd.evaluation.row_store import Rows, RowStore
from mmkd.progress import track

Encode = Callable[[Any], list[Rows]]


def fill_store(
    store: RowStore, loader: dict[str, Any], encode: Callable[[], Encode], what: str
) -> None:
    """Make a table of all videos, unless it is there already.

    Every process makes the blocks that fall to it, and the first one joins them. All
    processes must call it and see the same folder.

    Args:
        store: Where the table goes.
        loader: Config of a data loader; its sampler and batch size do not matter.
        encode: Gives the function from a raw batch to its rows. Asked only if there
            is something to do.
        what: Word for the progress display.
    """
    if _agreed(dist.is_main_process() and store.read() is not None):
        return
    blocks = store.missing(dist.get_rank(), dist.get_world_size())
    if blocks:
        _fill_blocks(store, blocks, loader, encode(), what)
    dist.barrier()
    if dist.is_main_process():
        store.merge()
    dist.barrier()


def _fill_blocks(
    store: RowStore,
    blocks: list[int],
    loader: dict[str, Any],
    encode: Encode,
    what: str,
) -> None:
    places = [place for block in blocks for place in store.places(block)]
    batches = build_loader(loader, places)
    if dist.is_main_process():
        batches = track(batches, what, total=len(places))  # type: ignore[assignment]
    rows = _each_row(batches, encode)
    for block in blocks:
        store.write(block, [next(rows) for _ in store.places(block)])


def _each_row(batches: Any, encode: Encode) -> Iterator[Rows]:
    for batch in batches:
        yield from encode(batch)


def build_loader(loader: dict[str, Any], places: list[int]) -> DataLoader:
    """Return a loader that gives the videos at ``places``, one at a time.

    Args:
        loader: Config of a data loader.
        places: Places in its list.
    """
    loader = copy.deepcopy(loader)
    dataset = DATASETS.build(loader.pop('dataset'))
    dropped = (
        *('sampler', 'batch_sampler', 'batch_size', 'drop_last'),
        'persistent_workers',  # one pass, and an error without workers
    )
    options = {k: v for k, v in loader.items() if k not in dropped}
    return Runner.build_dataloader(
        {**options, 'dataset': dataset, 'sampler': places, 'batch_size': 1}, seed=0
    )


def _agreed(here: bool) -> bool:
    """Return what the first process sees: files may appear between two looks."""
    flag = torch.tensor([int(here)])
    dist.broadcast(flag, src=0)
    return bool(flag.item())
