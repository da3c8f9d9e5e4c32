import copy
import random

import numpy as np
import pytest
from mmaction.datasets.transforms import (
    CenterCrop,
    Flip,
    FormatShape,
    RandomCrop,
    TenCrop,
    ThreeCrop,
)

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
    assert type(results) is dict


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
    # A black border of 16 pixels on the left, 16 pixels cut off on the right.
    loaded.ways = [way.cropped(-16, 0, 16, 24) for way in loaded.ways]
    maps = AlignPartMaps(size=4)(loaded)['part_maps']
    assert (maps[..., :2] == 255).all()
    np.testing.assert_array_equal(maps[0][..., 2:], MAPS[..., :2])


def test_a_quarter_turn_keeps_left_and_right(loaded):
    loaded['view_labels'] = {}
    square = RandomCrop(24)(loaded)
    maps = AlignPartMaps(size=24)(copy.deepcopy(square))['part_maps']
    random.seed(1)
    turned = PerView([RandomQuarterTurn()])(square)
    turns = turned['view_labels']['rotation'].tolist()
    aligned = AlignPartMaps(size=24)(turned)['part_maps']
    assert len(set(turns)) == 2
    for view, quarter_turns in enumerate(turns):
        expected = np.rot90(maps[view], quarter_turns, axes=(1, 2))
        np.testing.assert_array_equal(aligned[view], expected)


@pytest.mark.parametrize(('crop', 'times'), [(ThreeCrop((8, 24)), 3), (TenCrop(8), 10)])
def test_several_crops_of_a_view_give_as_many_maps(loaded, crop, times):
    loaded['part_valid'][0] = False
    results = AlignPartMaps(size=8)(crop(loaded))
    assert results['part_maps'].shape == (2 * times, 3, 8, 8)
    np.testing.assert_array_equal(
        results['part_valid'], [[False, True, True], [True] * 3] * times
    )
    formatted = FormatShape('NCTHW')(results)
    assert formatted['imgs'].shape[0] == 2 * times


def test_exchanged_parts_of_a_clip_are_refused(loaded):
    loaded['view_labels'] = {'transform': np.array([0, 1])}
    with pytest.raises(UserError, match='ApplyClipTransform'):
        AlignPartMaps()(loaded)


def half_size(results):
    results['imgs'] = [image[::2, ::2] for image in results['imgs']]
    return results


def every_second(results):
    results['imgs'] = results['imgs'][::2]
    return results


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (half_size, r'frames of 12 x 16 pixels, but .* of 24 x 32'),
        (PerView([half_size]), r'frames of 12 x 16 pixels, but .* of 24 x 32'),
        (every_second, '3 frames, but maps of 6'),
        (CenterCrop((40, 20)), 'frames of 20 x '),
        (dict, 'a new dict'),
        (PerView([dict]), 'PerView: .* a new dict'),
        (lambda results: {**results, 'imgs': results['imgs']}, 'a new dict'),
        (RandomCrop(12, lazy=True), 'Put Fuse before it'),
    ],
)
def test_a_lost_way_is_refused(loaded, change, message):
    with pytest.raises(UserError, match=message):
        AlignPartMaps()(change(loaded))


@pytest.mark.parametrize('input_format', ['NCTHW', 'NCHW'])
def test_the_pixels_are_looked_at_behind_format_shape_as_well(loaded, input_format):
    loaded['imgs'] = [image[:, :30] for image in loaded['imgs']]
    with pytest.raises(UserError, match='frames of 24 x 30 pixels'):
        AlignPartMaps()(FormatShape(input_format)(loaded))


def test_key_points_are_refused(loaded):
    loaded['keypoint'] = np.zeros((1, 6, 17, 2))
    with pytest.raises(UserError, match='key points'):
        AlignPartMaps()(loaded)


def test_nothing_to_align():
    with pytest.raises(UserError, match=r'mmkd\.LoadPartMaps'):
        AlignPartMaps()(decoded(sampled([1])))
