"""Features and scores of the page's networks: from the cache, or computed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup
from mmengine.registry import DATASETS, init_default_scope
from torch import Tensor

from mmkd.commands.report.networks import Network, evaluation_dir
from mmkd.commands.report.page import Notes, attempt, pieces
from mmkd.engine.preflight.datasets import check_datasets
from mmkd.errors import UserError
from mmkd.evaluation.feature_store import FeatureStore, Tensors
from mmkd.evaluation.feature_tables import SCORES, make_table
from mmkd.evaluation.features import Features
from mmkd.evaluation.knn import recall_at_k
from mmkd.evaluation.lists import describe_list, feature_configs
from mmkd.evaluation.model import load_model, load_whole_model, settled
from mmkd.files import read_json, read_small_text
from mmkd.models.teacher import state_hash

Say = Callable[[str], None]
Key = tuple[str, str, str]  # weights, list, column
_MOST_NETWORKS = 6


@dataclass(frozen=True)
class Videos:
    """A list of videos, their files, and what a network makes of them."""

    features: Features
    files: Sequence[Path]
    path: Path

    @property
    def names(self) -> list[str]:
        """Names of the classes."""
        return class_names(self.path, int(self.features.labels.max()) + 1)

    def recall(self, train: 'Videos', *ks: int) -> dict[str, float]:
        """Return ``R@k`` of these videos in others."""
        queries, gallery = self.features, train.features
        return recall_at_k(
            queries.vectors, queries.labels, gallery.vectors, gallery.labels, ks=ks
        )


class FeatureSource:
    """Tables of features: those that are there, and new ones.

    Args:
        folders: Where to look for tables; each holds some in folders ``features``.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
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
        """Return the ``'train'`` or ``'test'`` list with a network's features.

        Raises:
            UserError: If they are not there and cannot be computed.
        """
        loader, forms = _loader(network, part), network.preset.forms
        known = network.weights and self._read(network.weights, loader, forms[0])
        rows = known or self._rows(network, loader, forms, f'{part} list')
        features = Features(rows['average'], rows['label'])
        return Videos(features, _files(loader), _list(loader))

    def scores(self, network: Network) -> tuple[Tensor, Tensor, Path]:
        """Return scores ``(V, K)`` and classes ``(V,)`` of the test list, and the list.

        Raises:
            UserError: As :meth:`videos` does.
        """
        if network.checkpoint is None:
            raise UserError(f'{network.title} was not trained to classify')
        loader = _loader(network, 'test')
        rows = self._rows(network, loader, SCORES, 'scores')
        return rows['score'], rows['label'], _list(loader)

    def _rows(
        self,
        network: Network,
        loader: dict[str, Any],
        columns: tuple[str, ...],
        what: str,
    ) -> Tensors:
        """Load a network, and return the table of its weights: known, or a new one."""
        cfg, checkpoint = network.cfg, network.checkpoint
        if checkpoint and not Path(checkpoint).is_file():
            raise UserError(
                f'checkpoint {checkpoint} is not there any more',
                'Call the tool from the folder in which the run was started.',
            )
        if columns == SCORES:
            model = load_whole_model(cfg, str(checkpoint))
            weights = state_hash(model.state_dict())
        else:
            model = load_model(cfg, checkpoint, network.seed)
            weights = state_hash(model.backbone.state_dict())
        found = self._read(weights, loader, columns[0])
        if found:
            return found
        cfg, what = settled(cfg, model), f'{what}, {network.title}'
        store = make_table(cfg, model, weights, loader, columns, network.work_dir, what)
        return store.read() or {}

    def _read(
        self, weights: str, loader: dict[str, Any], column: str
    ) -> Tensors | None:
        about = describe_list(loader['dataset'])
        path = self._known.get((weights, about['sha256'], column))
        return FeatureStore(path, about['videos']).read() if path else None

    def _add(self, path: Path) -> None:
        try:
            facts = read_json(path)
            columns = [(facts['weights'], facts['list'], c) for c in facts['columns']]
        except (OSError, ValueError, KeyError, TypeError):
            return  # not ours
        if (facts.get('pixels') or {}).get('insist'):
            return  # features of pixels that the weights were not trained with
        for key in columns:
            self._known.setdefault(key, path.with_suffix('.pth'))


def _loader(network: Network, part: str) -> dict[str, Any]:
    init_default_scope(network.cfg.get('default_scope', 'mmaction'))
    check_datasets(network.cfg, ('train_dataloader', 'test_dataloader'))
    return feature_configs(network.cfg, network.preset.pipeline)[part]


def _list(loader: dict[str, Any]) -> Path:
    dataset = loader['dataset']
    return Path(dataset.get('data_root') or '', dataset['ann_file'])


def _files(loader: dict[str, Any]) -> list[Path]:
    dataset = DATASETS.build({**loader['dataset'], 'pipeline': []})
    return [Path(dataset.get_data_info(n)['filename']) for n in range(len(dataset))]


def class_names(path: Path, count: int) -> list[str]:
    """Return the names of classes in ``classes.txt`` beside a list, or numbers."""
    file = path.parent / 'classes.txt'
    try:
        names = read_small_text(file).split('\n') if file.is_file() else []
    except (OSError, ValueError):
        names = []
    names = [name.strip() for name in names if name.strip()]
    return names if len(names) >= count else [f'class {n}' for n in range(count)]


@dataclass
class Looked:
    """A network and its features; ``train`` is None where it is of no use."""

    network: Network
    test: Videos
    train: Videos | None = None


def look(
    networks: Sequence[Network], source: FeatureSource, notes: Notes, say: Say
) -> list[Looked]:
    """Return the features of the networks that share the test list of the first one.

    ``networks`` go from untrained to fine-tuned; ``notes`` get a line for each that
    lacks.
    """
    if len(networks) > _MOST_NETWORKS:
        left = ', '.join(network.title for network in networks[_MOST_NETWORKS:])
        notes.add(f'Of {len(networks)} networks, these are left out: {left}')
    frozen = any(network.kind == 'pre-trained' for network in networks)
    looked: list[Looked] = []
    for network in networks[:_MOST_NETWORKS]:
        say(f'features: {network.title}')
        source.look_beside(network)
        videos = partial(source.videos, network)
        test = attempt(network.title, partial(videos, 'test'), notes)
        if test is None:
            continue
        if looked and test.files != looked[0].test.files:
            notes.add(f'tested on another list, {test.path}', network.title)
            continue
        train = None
        if not (frozen and network.kind == 'fine-tuned'):
            train = attempt(network.title, partial(videos, 'train'), notes)
        looked.append(Looked(network, test, train))
    return looked


def lacking(what: str, notes: Notes) -> Markup:
    """Return why a part that needs networks is not there."""
    if notes:
        return notes.html()
    return pieces.absent(
        f'No {what}: no network with a test list lies here',
        'Run `tools/evaluate.py` with `--json` into the work folder, or name a '
        'fine-tuning config after `--config`.',
    )
