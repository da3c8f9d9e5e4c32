import numpy as np
import pytest

from mmkd.datasets.transforms.frame_records import way_from_records
from mmkd.errors import UserError

CROP = (0.25, 0.5, 0.5, 0.25)
FLIP = {'flip': True, 'flip_direction': 'horizontal'}
DOWN = {'flip': True, 'flip_direction': 'vertical'}


def corners(way):
    """Pixels of the upper left and lower right corner of the crop."""
    return (np.array([[0.25, 0.5, 1], [0.75, 0.75, 1]]) @ way).tolist()


@pytest.mark.parametrize('place', [0, 1])
@pytest.mark.parametrize(
    ('records', 'expected'),
    [
        ({'crop_quadruple': CROP}, [[0, 0], [100, 60]]),
        ({'crop_quadruple': CROP, **FLIP}, [[100, 0], [0, 60]]),
        ({'crop_quadruple': CROP, **DOWN}, [[0, 60], [100, 0]]),
        ({'crop_quadruple': CROP, 'flip': False}, [[0, 0], [100, 60]]),
        ({}, [[25, 30], [75, 45]]),
        (FLIP, [[75, 30], [25, 45]]),
    ],
)
def test_the_corners_of_the_crop(records, expected, place):
    both = (records, {}) if place else ({}, records)
    assert corners(way_from_records(*both, 60, 100)) == expected


@pytest.mark.parametrize(
    ('shared', 'own'),
    [
        ({**FLIP, 'crop_quadruple': CROP}, {}),
        ({}, {**FLIP, 'crop_quadruple': CROP}),
        (FLIP, {'crop_quadruple': CROP}),
        ({'crop_quadruple': CROP}, FLIP),
    ],
)
def test_an_unclear_order_is_refused(shared, own):
    with pytest.raises(UserError, match='which came first'):
        way_from_records(shared, own, 60, 100)
