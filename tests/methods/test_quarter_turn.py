import random

import numpy as np
import pytest

from mmkd.datasets.transforms import PerView
from mmkd.errors import UserError
from mmkd.methods.rotation import RandomQuarterTurn

CORNERS = {0: (0, 0), 1: (-1, 0), 2: (-1, -1), 3: (0, -1)}


def sample(views=1, size=(6, 6)):
    """Views of 3 black frames with one white pixel in the upper left corner."""
    images = [np.zeros((*size, 3), np.uint8) for _ in range(3 * views)]
    for image in images:
        image[0, 0] = 255
    return {'imgs': images, 'clip_len': 3, 'num_clips': views, 'img_shape': size}


def white(image):
    """Return where the white pixel is, as an index from either end."""
    row, column = np.argwhere(image[..., 0] == 255)[0]
    return tuple(0 if x == 0 else x - len(image) for x in (row, column))


def test_the_label_is_the_turn_of_every_frame():
    random.seed(0)
    seen = set()
    for _ in range(40):
        results = RandomQuarterTurn()(sample())
        (turns,) = results['view_labels']['rotation'].tolist()
        seen.add(turns)
        assert {white(image) for image in results['imgs']} == {CORNERS[turns]}
        assert all(image.flags.c_contiguous for image in results['imgs'])
    assert seen == {0, 1, 2, 3}


def test_each_view_is_turned_by_itself():
    random.seed(1)
    results = PerView([RandomQuarterTurn()])(sample(views=8))
    turns = results['view_labels']['rotation']
    assert turns.shape == (8,)
    assert len(set(turns.tolist())) > 2
    positions = [white(image) for image in results['imgs'][::3]]
    assert positions == [CORNERS[turn] for turn in turns.tolist()]


def test_the_input_stays_as_it_is():
    before = sample()
    RandomQuarterTurn()(dict(before))
    assert {white(image) for image in before['imgs']} == {(0, 0)}


def test_oblong_frames_are_the_users_error():
    with pytest.raises(UserError, match='frames of 8 x 6 pixels'):
        RandomQuarterTurn()(sample(size=(6, 8)))
