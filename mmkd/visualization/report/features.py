"""Features and scores of the page's networks: from the cache, or computed."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.registry import DATASETS, init_default_scope
from torch import Tensor

from mmkd.engine.preflight.datasets import check_datasets
from mmkd.errors import UserError
from mmkd.evaluation.extraction import Encode, fill_store
from mmkd.evaluation.features import FeatureEncoder, Features
from mmkd.evaluation.fine_tune import ScoreEncoder
from mmkd.evaluation.lists import describe_list, feature_configs
from mmkd.evaluation.model import load_model, load_whole_model
from mmkd.evaluation.open_table import open_table
from mmkd.evaluation.row_store import Rows, RowStore
from mmkd.models.teachers.state_hash import state_hash
from mmkd.visualization.report.networks import Network, evaluation_dir

Key = tuple[str, str, str]  # weights, list, column


@dataclass(frozen=True)
class Videos:
    """A list of videos and what a network makes of them.

    Attributes:
        features: Vectors and classes.
        files: Their files.
        path: The list.
    """

    features: Features
    files: Sequence[Path]
    path: Path


class FeatureSource:
    """Tables of features: those that are there, and new ones if that is allowed.

    Args:
        folders: Where to look for tables; each holds some in folders ``features``.
        compute: Whether to compute what is not there.
    """

    def __init__(self, folders: Iterable[Path], compute: bool) -> None:
        self.compute = compute
        self._known: dict[Key, Path] = {}
        for folder in folders:
            for path in sorted(folder.glob('**/features/*.json')):
                self._add(path)

    def look_beside(self, network: Network) -> None:
        """Look where ``tools/evaluate.py`` keeps the features of a config."""
        if network.cfg.filename:
            folder = evaluation_dir(network.cfg.filename)
            for path in sorted(folder.glob('features/*.json')):
                self._add(path)

    def videos(self, network: Network, part: str) -> Videos:
        """Return the training or the test list with a network's features.

        Args:
            network: The network.
            part: ``'train'`` or ``'test'``.

        Raises:
            UserError: If they are not there and cannot or shall not be computed.
        """
        loader = self._loader(network, part)
        forms = tuple(dict.fromkeys(('average', *network.preset.pooling)))
        weights = network.weights
        rows = weights and self._read(weights, loader, 'average')
        if not rows:
            self._refuse(network)
            model = load_model(network.cfg, network.checkpoint, network.seed)
            weights = state_hash(model.backbone.state_dict())
            what = f'{part} list, {network.title}'
            rows = self._read(weights, loader, 'average') or self._make(
                network,
                loader,
                weights,
                forms,
                lambda: FeatureEncoder(model, forms),
                what,
            )
        features = Features(rows['average'], rows['label'])
        return Videos(features, _files(loader), _list(loader))

    def scores(self, network: Network) -> tuple[Tensor, Tensor, Path]:
        """Return scores ``(V, K)`` and classes ``(V,)`` of the test list, and the list.

        Raises:
            UserError: As :meth:`videos` does.
        """
        if network.checkpoint is None:
            raise UserError(f'{network.title} was not trained to classify')
        loader = self._loader(network, 'test')
        self._refuse(network)
        model = load_whole_model(network.cfg, network.checkpoint)
        weights = state_hash(model.state_dict())
        rows = self._read(weights, loader, 'score') or self._make(
            network,
            loader,
            weights,
            ('score',),
            lambda: ScoreEncoder(model),
            f'scores, {network.title}',
        )
        return rows['score'], rows['label'], _list(loader)

    def _loader(self, network: Network, part: str) -> dict[str, Any]:
        init_default_scope(network.cfg.get('default_scope', 'mmaction'))
        check_datasets(network.cfg, ('train_dataloader', 'test_dataloader'))
        return feature_configs(network.cfg, network.preset.pipeline)[part]

    def _refuse(self, network: Network) -> None:
        if not self.compute:
            raise UserError(
                'not in a cache of features, and not to be computed',
                'Leave out `--no-features`.',
            )
        if network.checkpoint and not Path(network.checkpoint).is_file():
            raise UserError(
                f'checkpoint {network.checkpoint} is not there any more',
                'Call the tool from the folder in which the run was started.',
            )

    def _make(
        self,
        network: Network,
        loader: dict[str, Any],
        weights: str,
        columns: tuple[str, ...],
        encoder: Callable[[], Encode],
        what: str,
    ) -> Rows:
        store = open_table(network.cfg, loader, weights, columns, network.work_dir)
        fill_store(store, loader, encoder, what)
        return store.read() or {}

    def _read(self, weights: str, loader: dict[str, Any], column: str) -> Rows | None:
        about = describe_list(loader['dataset'])
        path = self._known.get((weights, about['sha256'], column))
        return RowStore(path, about['videos']).read() if path else None

    def _add(self, path: Path) -> None:
        try:
            facts = json.loads(path.read_text(encoding='utf-8'))
            columns = [(facts['weights'], facts['list'], c) for c in facts['columns']]
        except (OSError, ValueError, KeyError, TypeError):
            return  # not ours
        for key in columns:
            self._known.setdefault(key, path.with_suffix('.pth'))


def class_names(path: Path, count: int) -> list[str]:
    """Return the names of the classes in ``classes.txt`` beside a list, or numbers.

    Args:
        path: The list.
        count: Number of classes.
    """
    file = path.parent / 'classes.txt'
    names = file.read_text(encoding='utf-8').split('\n') if file.is_file() else []
    names = [name.strip() for name in names if name.strip()]
    return names if len(names) >= count else [f'class {n}' for n in range(count)]


def number_of_classes(*labels: Tensor) -> int:
    """Return one more than the largest label."""
    return int(torch.cat(labels).max()) + 1


def _list(loader: dict[str, Any]) -> Path:
    dataset = loader['dataset']
    return Path(dataset.get('data_root') or '', dataset['ann_file'])


def _files(loader: dict[str, Any]) -> list[Path]:
    dataset = DATASETS.build({**loader['dataset'], 'pipeline': []})
    return [Path(dataset.get_data_info(n)['filename']) for n in range(len(dataset))]
