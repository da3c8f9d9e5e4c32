"""The place of a table of features on disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine import dist
from mmengine.config import Config

from mmkd.evaluation.lists import describe_list
from mmkd.evaluation.row_store import RowStore
from mmkd.evaluation.table_facts import table_facts, table_key
from mmkd.files import write_json


def open_table(
    cfg: Config,
    loader: dict[str, Any],
    weights: str,
    columns: Sequence[str],
    work_dir: Path,
) -> RowStore:
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
    return RowStore(path, describe_list(loader['dataset'])['videos'])
