import numpy as np
import pytest

from mmkd.commands.part_overlay import (
    legend,
    overlay,
    part_colours,
    stack,
    titled_row,
    to_labels,
)
from mmkd.part_labels import LABEL_SETS, get_label_set

LIP = get_label_set('lip')


@pytest.mark.parametrize('name', LABEL_SETS)
def test_colours_differ(name):
    colours = part_colours(get_label_set(name)).astype(int)
    distances = np.abs(colours[:, None] - colours).max(-1)
    assert distances[~np.eye(len(colours), dtype=bool)].min() >= 60
    assert colours[0].tolist() == [0, 0, 0]


def test_parts_are_tinted_where_they_are():
    frame = np.full((4, 8, 3), 100, np.uint8)
    labels = np.array([[0, 5], [255, 0]], np.uint8)
    drawn = overlay(frame, labels, LIP, strength=0.5)
    tint = np.round(50 + part_colours(LIP)[5] / 2)
    np.testing.assert_array_equal(drawn[:2, :4], frame[:2, :4])
    np.testing.assert_array_equal(drawn[:2, 4:], np.broadcast_to(tint, (2, 4, 3)))
    assert (drawn[2:, :4] == 178).all()
    np.testing.assert_array_equal(drawn[2:, 4:], frame[2:, 4:])


def test_labels_of_probabilities():
    maps = np.zeros((1, 1, 20, 1, 3), np.uint8)
    maps[0, 0, 7, 0, 0] = 9
    maps[0, 0, [2, 3], 0, 1] = 100, 120
    assert to_labels(maps, LIP).tolist() == [[[[7, 3, 255]]]]
    labels = np.ones((1, 1, 2, 2), np.uint8)
    assert to_labels(labels, LIP) is labels


def test_the_legend_has_the_colour_of_every_part():
    picture = legend(LIP, 200, [3, 5, 19])
    seen = {tuple(colour) for colour in picture.reshape(-1, 3).tolist()}
    assert {tuple(part_colours(LIP)[n].tolist()) for n in (3, 5, 19)} <= seen
    assert picture.shape[1] == 200


def test_rows_and_stacks():
    row = titled_row([np.zeros((5, 4, 3), np.uint8)] * 2, 'x')
    assert row.shape == (21, 10, 3)
    assert (row[16:, :4] == 0).all()
    assert (row[16:, 4:6] == 255).all()
    both = stack([row, np.zeros((1, 12, 3), np.uint8)])
    assert both.shape == (22, 12, 3)
    assert (both[:21, 10:] == 255).all()
