"""The sections that look into networks: confusions, and features on a plane."""

from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from markupsafe import Markup
from torch.nn import functional

from mmkd.commands.report.charts import class_legend, confusion_figure, feature_map
from mmkd.commands.report.features import (
    FeatureSource,
    Looked,
    Say,
    class_names,
    lacking,
)
from mmkd.commands.report.networks import Network
from mmkd.commands.report.page import Notes, attempt, pieces
from mmkd.commands.report.runs import Run
from mmkd.errors import UserError
from mmkd.evaluation.classification import classify

_MOST_CLASSES, _MOST_VIDEOS = 12, 1000  # of a map
# One matrix a report: what is nearest to the use of a network comes first.
_PREFERRED = ('finetune', 'linear', 'kNN')


def confusion_section(
    runs: Sequence[Run], networks: Sequence[Network], source: FeatureSource, say: Say
) -> Markup:
    """Return the confusion matrices of reports and of fine-tuned networks."""
    notes = Notes()
    figures = [figure for run in runs for figure in _reported(run)]
    for network in [n for n in networks if n.kind == 'fine-tuned'][:4]:
        say(f'scores: {network.title}')
        figure = attempt(network.title, partial(_classified, network, source), notes)
        if figure is not None:
            figures.append(figure)
    if not figures:
        return lacking('confusion matrix', notes)
    return pieces.grid(figures, large=True) + notes.html()


def _classified(network: Network, source: FeatureSource) -> Markup:
    scores, labels, path = source.scores(network)
    result = classify(scores, labels)
    names = class_names(path, scores.shape[1])
    caption = f'Test list {path}, {len(labels)} videos, scores of the classifier.'
    return confusion_figure(network.title, result.confusion.numpy(), names, caption)


def _reported(run: Run) -> list[Markup]:
    figures = []
    for content in run.evaluations:
        records = [record for record in content['results'] if record.get('confusion')]
        if records:
            record = min(records, key=lambda r: _rank(r['protocol']))
            matrix, test = np.array(record['confusion']), record['test_list']
            names = class_names(Path(test['path']), len(matrix))
            caption = f'Test list {test["path"]}, {test["videos"]} videos, by '
            caption += f'{record["protocol"]}, protocol {record["preset"]}.'
            title = f'{run.name}, {record["protocol"]}'
            figures.append(confusion_figure(title, matrix, names, caption))
    return figures


def _rank(protocol: str) -> int:
    ranks = [n for n, name in enumerate(_PREFERRED) if protocol.startswith(name)]
    return ranks[0] if ranks else len(_PREFERRED)


def feature_section(looked: Sequence[Looked], notes: Notes, say: Say) -> Markup:
    """Return t-SNE of the test list, before and after."""
    figures: list[Markup] = []
    for one in looked:
        say(f't-SNE: {one.network.title}')
        features = one.test.features
        shown = some_videos(features.labels)
        make = partial(on_a_plane, features.vectors[shown])
        plane = attempt('map of features', make, notes)
        if plane is None:
            break
        names = class_names(looked[0].test.path, int(features.labels.max()) + 1)
        files = [one.test.files[n].name for n in shown.tolist()]
        labels = features.labels[shown].numpy()
        figures.append(
            feature_map(one.network.title, plane, labels, names, files, _worth(one))
        )
    if not figures:
        return lacking('map of features', notes)
    count = int(features.labels.max()) + 1
    more = f' Of {count} classes the first {_MOST_CLASSES}.'
    text = pieces.paragraph(
        'Each mark is a video of the test list; near marks have similar features '
        '(t-SNE of scikit-learn, seed 0; axes have no unit, and distances between '
        f'groups say little).{more if count > _MOST_CLASSES else ""}'
    )
    key = class_legend(labels, names)
    return text + key + pieces.grid(figures) + notes.html()


def _worth(one: Looked) -> str:
    """Return what the features of a network are worth."""
    if one.train is None:
        return f'{one.network.kind}; {len(one.test.files)} test videos.'
    return f'{one.network.kind}; R@1 {one.test.recall(one.train, 1)["R@1"]:.1f} %.'


def on_a_plane(vectors: torch.Tensor) -> np.ndarray:
    """Return points ``(V, 2)`` by t-SNE of features ``(V, C)`` at unit length.

    Perplexity 30, or a third of the videos where there are fewer than 90; seed 0.
    Source: scikit-learn's ``TSNE``.

    Raises:
        UserError: If scikit-learn is not installed, or there are too few videos.
    """
    if find_spec('sklearn') is None:
        raise UserError(
            't-SNE needs scikit-learn, which is not installed',
            'Type pip install scikit-learn.',
        )
    scaled = functional.normalize(vectors.float(), dim=1).numpy()
    if len(scaled) < 6:
        raise UserError(f't-SNE of {len(scaled)} videos says nothing')
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(scaled) - 1) / 3)
    points = TSNE(
        init='pca', perplexity=perplexity, random_state=0, learning_rate='auto'
    ).fit_transform(scaled)
    return np.asarray(points)


def some_videos(labels: torch.Tensor) -> torch.Tensor:
    """Return the positions of the videos of classes ``(V,)`` that are drawn.

    All of the first twelve classes; of more than 1000 videos every n-th.
    """
    chosen = labels.unique()[:_MOST_CLASSES]
    positions = torch.isin(labels, chosen).nonzero().flatten()
    return positions[:: -(-len(positions) // _MOST_VIDEOS)]
