"""The retrieval gallery: a query clip and its nearest clips."""

from collections.abc import Sequence
from html import escape

import torch

from mmkd.evaluation.retrieval import recall_at_k
from mmkd.models.measures import nearest
from mmkd.visualization.report.features import Videos
from mmkd.visualization.report.html import details, with_code
from mmkd.visualization.report.previews import clip_frames, moving


def choose_queries(labels: torch.Tensor, count: int) -> list[int]:
    """Return the first video of as many classes, spread over the classes.

    Not chosen by what is found for them.

    Args:
        labels: Classes of the test list, ``(V,)``.
        count: How many; fewer where there are fewer classes.
    """
    classes = labels.unique().tolist()
    places = torch.linspace(0, len(classes) - 1, min(count, len(classes))).round()
    chosen = [classes[int(place)] for place in places]
    return [int((labels == name).nonzero()[0]) for name in chosen]


def gallery(
    title: str,
    train: Videos,
    test: Videos,
    names: Sequence[str],
    queries: Sequence[int],
    count: int = 5,
    folded: bool = False,
) -> str:
    """Return rows of a query and its nearest training videos, right and wrong marked.

    Args:
        title: Which network.
        train: What is searched.
        test: What the queries are of.
        names: Of the classes.
        queries: Places in the test list.
        count: Neighbours of a query. Defaults to 5.
        folded: Show it on demand. Defaults to False.
    """
    mine, theirs = test.features, train.features
    recall = recall_at_k(
        mine.vectors, mine.labels, theirs.vectors, theirs.labels, ks=(1, 5)
    )
    similar, places = nearest(mine.vectors[list(queries)], theirs.vectors, count)
    rows = []
    for place, query in enumerate(queries):
        truth = int(mine.labels[query])
        cells = [_cell(test, query, f'query: {names[truth]}', 'query')]
        for value, other in zip(similar[place], places[place].tolist(), strict=True):
            label = int(theirs.labels[other])
            verdict = 'right' if label == truth else 'wrong'
            sign = '✓' if label == truth else '✗'
            text = f'{sign} {names[label]}'
            cells.append(_cell(train, other, text, verdict, f'cosine {value:.3f}'))
        rows.append(f'<div class="row">{"".join(cells)}</div>')
    share = with_code(
        f'Of all {len(mine.labels)} test videos, the nearest training video is right '
        f'for {recall["R@1"]:.1f} %, one of the nearest five for {recall["R@5"]:.1f} %.'
    )
    body = f'<p>{share}</p>{"".join(rows)}'
    return details(title, body) if folded else f'<h3>{escape(title)}</h3>{body}'


def _cell(videos: Videos, place: int, text: str, kind: str, below: str = '') -> str:
    path = videos.files[place]
    alt = f'{text} ({path.name})'
    try:
        picture = moving(clip_frames(path), alt)
    except RuntimeError:
        picture = f'<p class="absent">{escape(path.name)} cannot be read</p>'
    end = f'<br>{escape(below)}' if below else ''
    return (
        f'<figure class="clip {kind}">{picture}<figcaption><b>{escape(text)}</b>{end}'
        '</figcaption></figure>'
    )
