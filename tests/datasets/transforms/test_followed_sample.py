import copy
import pickle

import numpy as np
import pytest
from mmaction.datasets.transforms import CenterCrop, Flip, Resize, TenCrop

from mmkd.datasets.transforms.followed_sample import FollowedSample
from mmkd.datasets.transforms.pixel_way import PixelWay
from mmkd.errors import UserError


def sample(views=1, clip_len=2, height=12, width=16):
    way = PixelWay.whole_frame().resized(height, width)
    imgs = [np.zeros((height, width, 3), np.uint8) for _ in range(views * clip_len)]
    values = {'imgs': imgs, 'img_shape': (height, width), 'modality': 'RGB'}
    return FollowedSample(values, [way] * views, clip_len)


def corners(way):
    """Where the first and the last corner of the view lie in a frame of 16 x 12."""
    ends = np.array([[0, 0], [way.width, way.height]])
    return (way.places_in_frame(ends) * [16, 12]).tolist()


def test_records_are_read_in_their_order():
    first = CenterCrop(8)(Flip(1)(sample()))
    second = Flip(1)(CenterCrop((8, 10))(sample()))
    assert corners(first.ways[0]) == [[12, 2], [4, 10]]
    assert corners(second.ways[0]) == [[12, 1], [4, 11]]


def test_a_flip_that_was_not_done_is_none():
    assert corners(Flip(0)(sample()).ways[0]) == [[0, 0], [16, 12]]
    assert corners(Flip(0)(Flip(1)(sample())).ways[0]) == [[16, 0], [0, 12]]


def test_a_size_that_is_written_again_changes_nothing():
    results = sample()
    results['img_shape'] = (12, 16)
    results.update(img_shape=(6, 8))
    assert corners(results.ways[0]) == [[0, 0], [16, 12]]
    assert (results.ways[0].height, results.ways[0].width) == (6, 8)


def test_fuse_is_where_lazy_transforms_happen():
    results = Resize((32, 24), lazy=True)(sample())
    results = CenterCrop((10, 10), lazy=True)(results)
    assert corners(results.ways[0]) == [[0, 0], [16, 12]]
    # In the frame from (5.5, 3.5) to (10.5, 8.5), which Fuse rounds to even pixels.
    results['lazy']['crop_bbox'] = np.array([5.5, 3.5, 10.5, 8.5])
    del results['lazy']
    assert corners(results.ways[0]) == [[6, 4], [10, 8]]
    assert (results.ways[0].height, results.ways[0].width) == (10, 10)


@pytest.mark.parametrize(
    'copied', [copy.deepcopy, copy.copy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_copy_does_not_follow_again(copied):
    results = Flip(1)(CenterCrop(8)(sample()))
    again = copied(results)
    assert type(again) is FollowedSample
    assert corners(again.ways[0]) == corners(results.ways[0]) == [[12, 2], [4, 10]]
    Flip(1)(again)
    assert corners(results.ways[0]) == [[12, 2], [4, 10]]


def test_ten_crops_are_five_places_and_their_mirrors():
    results = TenCrop(8)(sample(views=2))
    found = [corners(way) for way in results.ways]
    assert found[::2] == found[1::2]  # the two views
    places = [(0, 0), (8, 0), (0, 4), (8, 4), (4, 2)]
    for (x, y), plain, mirror in zip(places, found[::4], found[2::4], strict=True):
        assert plain == [[x, y], [x + 8, y + 8]]
        assert mirror == [[x + 8, y], [x, y + 8]]


@pytest.mark.parametrize('boxes', [4, 5, 21])
def test_boxes_of_an_unknown_number_of_crops(boxes):
    with pytest.raises(UserError, match=f'{boxes} boxes for 2 frames'):
        sample()['crop_bbox'] = np.zeros((boxes, 4))
