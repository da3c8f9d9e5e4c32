import numpy as np
import pytest
from mmaction.datasets.transforms import Flip, RandomCrop, TenCrop

from mmkd.datasets.transforms import (
    AlignPartMaps,
    LoadPartMaps,
    PerView,
    RandomQuarterTurn,
)
from mmkd.errors import UserError
from tests.datasets.part_maps.test_encoding import LABELS, MAPS
from tests.datasets.transforms.part_samples import decoded, make_cache, sampled

TABLE = LABELS.flip_table()


@pytest.fixture
def loaded(tmp_path):
    """Two views of three frames, whose maps are ``MAPS``."""
    load = LoadPartMaps(make_cache(tmp_path / 'cache'))
    return decoded(load(sampled([1, 4, 7, 7, 4, 1], views=2)))


def test_unchanged_frames_keep_their_maps(loaded):
    results = AlignPartMaps(size=4)(loaded)
    np.testing.assert_array_equal(results['part_maps'], [MAPS, MAPS[::-1]])
    assert results['part_valid'].shape == (2, 3)
    assert 'keypoint' not in results


def test_a_mirrored_view_exchanges_left_and_right(loaded):
    flipped = PerView([Flip(flip_ratio=1)], views=[1])(loaded)
    first, second = AlignPartMaps(size=4)(flipped)['part_maps']
    np.testing.assert_array_equal(first, MAPS)
    np.testing.assert_array_equal(second, TABLE[MAPS[::-1, :, ::-1]])
    assert (second != MAPS[::-1, :, ::-1]).any()


def test_a_crop_of_a_quarter(loaded):
    """24 x 32 pixels, 4 x 4 cells; 12 x 12 pixels from (8, 6) are 2 x 1.5 cells."""
    crop = RandomCrop(12)
    np.random.seed(0)
    results = crop(loaded)
    left, top = results['crop_bbox'][:2]
    maps = AlignPartMaps(size=12)(results)['part_maps']
    rows, columns = (np.arange(12) + top) // 6, (np.arange(12) + left) // 8
    np.testing.assert_array_equal(maps[0], MAPS[:, rows[:, None], columns])


def test_probabilities_follow_with_their_parts(loaded):
    planes = np.random.default_rng(0).integers(0, 256, (6, 11, 4, 4)).astype(np.uint8)
    loaded['part_maps'] = planes
    flipped = Flip(flip_ratio=1)(loaded)
    maps = AlignPartMaps(size=4)(flipped)['part_maps']
    assert maps.shape == (2, 3, 11, 4, 4)
    expected = planes.reshape(2, 3, 11, 4, 4)[:, :, TABLE, :, ::-1]
    np.testing.assert_array_equal(maps, expected)


def test_probabilities_are_interpolated_between_centres(loaded):
    loaded['part_maps'] = np.tile(np.array([0, 80, 160, 240], np.uint8), (6, 11, 4, 1))
    maps = AlignPartMaps(size=8)(loaded)['part_maps']
    # Centres of eighths lie a quarter of a cell beside those of fourths.
    expected = [0, 20, 60, 100, 140, 180, 220, 240]
    np.testing.assert_array_equal(maps, np.tile(expected, (2, 3, 11, 8, 1)))


def test_255_where_the_view_is_outside_of_the_frame(loaded):
    loaded['keypoint'] += [16.0, 0.0]  # a black border of 16 pixels on the left
    maps = AlignPartMaps(size=4)(loaded)['part_maps']
    assert (maps[..., :2] == 255).all()
    np.testing.assert_array_equal(maps[0][..., 2:], MAPS[..., :2])


def test_a_way_that_is_not_affine_is_refused(loaded):
    loaded['keypoint'][0, 0, 0] += 0.5
    with pytest.raises(UserError, match='cannot follow'):
        AlignPartMaps()(loaded)


def test_turned_views_are_refused(loaded):
    loaded['view_labels'] = {}
    square = RandomCrop(12)(loaded)
    turned = PerView([RandomQuarterTurn()])(square)
    with pytest.raises(UserError, match='RandomQuarterTurn'):
        AlignPartMaps()(turned)


def test_several_crops_are_refused(loaded):
    with pytest.raises(UserError, match='TenCrop'):
        AlignPartMaps()(TenCrop(8)(loaded))


def test_frames_of_another_size_than_that_of_the_maps(loaded):
    loaded['original_shape'] = (12, 16)
    with pytest.raises(UserError, match=r'behind mmkd\.DecodeViews'):
        AlignPartMaps()(loaded)


def test_nothing_to_align():
    with pytest.raises(UserError, match=r'mmkd\.LoadPartMaps'):
        AlignPartMaps()(decoded(sampled([1])))
