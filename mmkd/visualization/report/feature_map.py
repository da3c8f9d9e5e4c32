"""Features on a plane by t-SNE, coloured by class."""

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
import torch
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.evaluation.features import Features
from mmkd.visualization.report.html import figure, legend
from mmkd.visualization.report.svg import SLOTS, drawing, slot_colour

MOST_CLASSES = 12
MOST_VIDEOS = 1000
_MARKS = 'os^Dv'
# The same shapes for the legend, in a box of 18 x 10.
_SHAPES = (
    '<circle cx="9" cy="5" r="4.2" {}/>',
    '<rect x="5" y="1" width="8" height="8" {}/>',
    '<path d="M9 .6L13.6 9.2H4.4Z" {}/>',
    '<path d="M9 0L14 5L9 10L4 5Z" {}/>',
    '<path d="M9 9.4L4.4 .8H13.6Z" {}/>',
)


def on_a_plane(features: Features) -> np.ndarray:
    """Return places ``(V, 2)`` by t-SNE of the features at unit length.

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
    vectors = functional.normalize(features.vectors.float(), dim=1).numpy()
    if len(vectors) < 6:
        raise UserError(f't-SNE of {len(vectors)} videos says nothing')
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(vectors) - 1) / 3)
    places = TSNE(
        init='pca', perplexity=perplexity, random_state=0, learning_rate='auto'
    ).fit_transform(vectors)
    return np.asarray(places)


def some_videos(labels: torch.Tensor) -> torch.Tensor:
    """Return the places of the videos that are drawn.

    All of the first twelve classes; of more than 1000 videos every n-th.

    Args:
        labels: Classes of all videos, ``(V,)``.
    """
    chosen = labels.unique()[:MOST_CLASSES]
    places = torch.isin(labels, chosen).nonzero().flatten()
    return places[:: -(-len(places) // MOST_VIDEOS)]


def feature_map(
    title: str, places: np.ndarray, labels: np.ndarray, caption: str
) -> str:
    """Return the figure of one network.

    Args:
        title: Heading.
        places: Shape ``(V, 2)``.
        labels: Classes, ``(V,)``.
        caption: What is known of the network.
    """
    alt = f'{title}: {len(places)} test videos on a plane by t-SNE. {caption}'
    with drawing(alt, 3.4, 3.2) as sheet:
        axes = sheet.axes
        for place, label in enumerate(np.unique(labels)):
            x, y = places[labels == label].T
            colour, mark = slot_colour(place), _MARKS[place % len(_MARKS)]
            axes.scatter(
                x, y, s=22, color=colour, marker=mark, alpha=0.85, linewidths=0
            )
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlabel('t-SNE, no unit')
        axes.set_aspect('equal', 'datalim')
    return figure(title, sheet.svg, caption)


def class_legend(labels: np.ndarray, names: Sequence[str]) -> str:
    """Return the legend of all maps of the same videos."""
    entries = []
    for place, label in enumerate(np.unique(labels)):
        fill = f'style="fill:var(--s{place % SLOTS})"'
        entries.append((names[label], _SHAPES[place % len(_SHAPES)].format(fill)))
    return legend(entries)
