"""The label must not be readable from file size, length or background.

Statistic: the share of a quantity's variance that lies between the classes (eta
squared), against its distribution under 999 random relabellings. A quantity passes
if the true labels do not stand out, p > 0.01.
"""

import decord
import numpy as np
import pytest

from mmkd.commands.prepare.synthetic.dataset import Plan
from mmkd.datasets.video_file import read_maps
from tests.commands.prepare.synthetic.small_set import SMALL

RELABELLINGS = 999
NAMES = ('size', 'rate', 'length', 'red', 'green', 'blue')


def between_classes(values: np.ndarray, labels: np.ndarray) -> float:
    """Eta squared: 0 if all classes have the same mean, 1 if they are constant."""
    total = ((values - values.mean()) ** 2).sum()
    means = np.array([values[labels == k].mean() for k in np.unique(labels)])
    counts = np.unique(labels, return_counts=True)[1]
    return float((counts * (means - values.mean()) ** 2).sum() / total)


def chance_of(values: np.ndarray, labels: np.ndarray) -> float:
    """Share of relabellings that tell the classes apart as well as the true one."""
    rng = np.random.default_rng(0)
    found = between_classes(values, labels)
    random = [
        between_classes(values, rng.permutation(labels)) for _ in range(RELABELLINGS)
    ]
    return (1 + sum(r >= found for r in random)) / (1 + RELABELLINGS)


@pytest.fixture(scope='module')
def measured(rendered):
    """Labels and quantities of the training clips of the small set."""
    clips = [c for c in Plan(**SMALL).clips() if c.split == 'train']
    rows = []
    for clip in clips:
        maps = read_maps(clip.maps(rendered))
        video = decord.VideoReader(str(clip.video(rendered)), num_threads=1)
        colour = video[0].asnumpy()[maps[0] == 0].mean(axis=0)
        length, size = len(maps), clip.video(rendered).stat().st_size
        rows.append([size, size / length, length, *colour])
    columns = dict(zip(NAMES, np.array(rows, float).T, strict=True))
    return np.array([c.action for c in clips]), columns


@pytest.mark.parametrize('name', NAMES)
def test_classes_do_not_differ_in(measured, name):
    labels, columns = measured
    assert chance_of(columns[name], labels) > 0.01


def test_the_statistic_finds_a_leak(measured):
    labels, columns = measured
    leaking = columns['length'] + 1.5 * labels
    assert chance_of(leaking, labels) <= 0.01
