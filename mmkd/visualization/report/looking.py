"""The sections that look into networks: gallery, confusions, features, part maps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mmkd.evaluation.classification import classify
from mmkd.evaluation.features import Features
from mmkd.evaluation.retrieval import recall_at_k
from mmkd.visualization.report.attempt import Notes, attempt
from mmkd.visualization.report.confusion import confusion_figure
from mmkd.visualization.report.feature_map import (
    MOST_CLASSES,
    class_legend,
    feature_map,
    on_a_plane,
    some_videos,
)
from mmkd.visualization.report.features import (
    FeatureSource,
    Videos,
    class_names,
    number_of_classes,
)
from mmkd.visualization.report.gallery import choose_queries, gallery
from mmkd.visualization.report.html import Section, absent, grid, paragraph
from mmkd.visualization.report.networks import Network
from mmkd.visualization.report.parts import parsing_runs, part_strips
from mmkd.visualization.report.runs import Run

Say = Callable[[str], None]
MOST_NETWORKS = 6
# One matrix a report: what is nearest to the use of a network comes first.
_PREFERRED = ('finetune', 'linear', 'kNN')


@dataclass
class Looked:
    """A network and its features, where they could be had.

    Attributes:
        network: The network.
        test: The test list.
        train: The training list; None where it is of no use.
    """

    network: Network
    test: Videos
    train: Videos | None = None

    def caption(self) -> str:
        """Return what its features are worth."""
        network = self.network
        if self.train is None:
            return f'{network.kind}; {len(self.test.files)} test videos.'
        mine, theirs = self.test.features, self.train.features
        recall = recall_at_k(
            mine.vectors, mine.labels, theirs.vectors, theirs.labels, ks=(1,)
        )
        return f'{network.kind}; R@1 {recall["R@1"]:.1f} %.'


def look(
    networks: Sequence[Network], source: FeatureSource, notes: Notes, say: Say
) -> list[Looked]:
    """Return the features of the networks that share the test list of the last one.

    Args:
        networks: From untrained to fine-tuned.
        source: Gives features.
        notes: Gets a line for each network that lacks.
        say: Shows a line of progress.
    """
    if len(networks) > MOST_NETWORKS:
        left = ', '.join(network.title for network in networks[MOST_NETWORKS:])
        notes.add(f'Of {len(networks)} networks, these are left out: {left}')
    frozen = any(network.kind == 'pre-trained' for network in networks)
    looked: list[Looked] = []
    for network in networks[:MOST_NETWORKS]:
        say(f'features: {network.title}')
        source.look_beside(network)
        test = attempt(network.title, partial(source.videos, network, 'test'), notes)
        if test is None:
            continue
        if looked and test.files != looked[0].test.files:
            notes.add(f'tested on another list, {test.path}', network.title)
            continue
        train = None
        if not (frozen and network.kind == 'fine-tuned'):
            train = attempt(
                network.title, partial(source.videos, network, 'train'), notes
            )
        looked.append(Looked(network, test, train))
    return looked


def gallery_section(looked: Sequence[Looked], notes: Notes) -> Section:
    """Return the retrieval gallery of the last network that is not fine-tuned."""
    found = [one for one in looked if one.train is not None]
    trained = [one for one in found if one.network.kind != 'untrained']
    if not trained:
        return Section('gallery', 'Retrieval', _lacking('retrieval gallery', notes))
    kinds = [one for one in trained if one.network.kind == 'pre-trained'] or trained
    labels = kinds[-1].test.features.labels
    queries = choose_queries(labels, 6)
    names = class_names(kinds[-1].test.path, number_of_classes(labels))
    text = paragraph(
        'The first test video of six classes, whatever is found for it, and its five '
        'nearest training videos by the cosine of the features. ✓ and a full green '
        'frame: the same class; ✗ and a dashed red frame: another one.'
    )
    parts = [text]
    beside = [one for one in found if one.network.kind == 'untrained']
    for one in (kinds[-1], *beside):
        title = one.network.title
        if one in beside:
            title = f'The same queries, {title} network'
        assert one.train is not None
        parts.append(
            gallery(title, one.train, one.test, names, queries, folded=one in beside)
        )
    return Section('gallery', 'Retrieval', ''.join(parts))


def confusion_section(
    runs: Sequence[Run],
    networks: Sequence[Network],
    source: FeatureSource,
    say: Say,
) -> Section:
    """Return the confusion matrices of reports and of fine-tuned networks."""
    notes = Notes()
    figures = [figure for run in runs for figure in _reported(run)]
    for network in [n for n in networks if n.kind == 'fine-tuned'][:4]:
        say(f'scores: {network.title}')
        figure = attempt(network.title, partial(_classified, network, source), notes)
        if figure is not None:
            figures.append(figure)
    if not figures:
        body = _lacking('confusion matrix', notes)
    else:
        body = f'<div class="grid large">{"".join(figures)}</div>{notes.html()}'
    return Section('confusion', 'Confusions', body)


def _classified(network: Network, source: FeatureSource) -> str:
    scores, labels, path = source.scores(network)
    result = classify(scores, labels)
    names = class_names(path, scores.shape[1])
    caption = f'Test list {path}, {len(labels)} videos, scores of the classifier.'
    return confusion_figure(network.title, result.confusion.numpy(), names, caption)


def _reported(run: Run) -> list[str]:
    figures = []
    for content in run.reports.values():
        records = [r for r in content.get('results', ()) if r.get('confusion')]
        records.sort(key=lambda r: _rank(r['protocol']))
        for record in records[:1]:
            matrix = np.array(record['confusion'])
            test = record['test_list']
            names = class_names(Path(test['path']), len(matrix))
            caption = f'Test list {test["path"]}, {test["videos"]} videos, by '
            caption += f'{record["protocol"]}, protocol {record["preset"]}.'
            title = f'{run.name}, {record["protocol"]}'
            figures.append(confusion_figure(title, matrix, names, caption))
    return figures


def _rank(protocol: str) -> int:
    ranks = [n for n, name in enumerate(_PREFERRED) if protocol.startswith(name)]
    return ranks[0] if ranks else len(_PREFERRED)


def feature_section(looked: Sequence[Looked], notes: Notes, say: Say) -> Section:
    """Return t-SNE of the test list, before and after."""
    figures = []
    for one in looked:
        say(f't-SNE: {one.network.title}')
        features = _drawn(one.test.features)
        plane = attempt('map of features', partial(on_a_plane, features), notes)
        if plane is None:
            break
        labels, title = features.labels.numpy(), one.network.title
        figures.append(feature_map(title, plane, labels, one.caption()))
    if not figures:
        return Section('features', 'Features', _lacking('map of features', notes))
    first = looked[0].test
    count = number_of_classes(first.features.labels)
    names = class_names(first.path, count)
    more = (
        f' Of {count} classes the first {MOST_CLASSES}.' if count > MOST_CLASSES else ''
    )
    text = paragraph(
        'Each mark is a video of the test list; near marks have similar features '
        '(t-SNE of scikit-learn, seed 0; axes have no unit, and distances between '
        f'groups say little).{more}'
    )
    key = class_legend(_drawn(first.features).labels.numpy(), names)
    body = text + key + grid(figures) + notes.html()
    return Section('features', 'Features', body)


def _drawn(features: Features) -> Features:
    places = some_videos(features.labels)
    return Features(features.vectors[places], features.labels[places])


def parts_section(runs: Sequence[Run], compute: bool, say: Say) -> Section:
    """Return predicted and teacher part maps of trainings with a human prior."""
    notes = Notes()
    bodies = []
    found = parsing_runs(runs)
    if not found:
        notes.add(
            'No training here distils a human parser. Train one, for instance '
            '`configs/tiny/human_prior_r3d_synthetic.py`'
        )
    elif not compute:
        notes.add('Part maps need the network. Leave out `--no-features`')
        found = []
    for run, cfg in found:
        say(f'part maps: {run.name}')
        strips = attempt(run.name, partial(part_strips, run, cfg), notes)
        bodies.append(strips or '')
    body = ''.join(bodies) + notes.html()
    return Section('parts', 'Human parts', body)


def _lacking(what: str, notes: Notes) -> str:
    if notes:
        return notes.html()
    return absent(
        f'No {what}: no network with a test list lies here',
        'Run `tools/evaluate.py` with `--json` into the work folder, or name a '
        'fine-tuning config after `--config`.',
    )
