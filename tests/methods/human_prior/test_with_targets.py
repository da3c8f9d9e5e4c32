import random

import numpy as np
import pytest
from mmaction.datasets.transforms import (
    Flip,
    FormatShape,
    RandomCrop,
    TenCrop,
    ThreeCrop,
)

from mmkd.datasets.dense_targets import DenseTarget, sample_labels
from mmkd.datasets.transforms import (
    PerView,
    WithTargets,
)
from mmkd.datasets.transforms.following import CORNERS
from mmkd.errors import UserError
from mmkd.methods.human_prior import AlignPartMaps, LoadPartMaps
from mmkd.methods.rotation import RandomQuarterTurn
from mmkd.registry import TRANSFORMS
from tests.methods.human_prior.part_maps.made_maps import LABELS, MAPS
from tests.methods.human_prior.part_samples import decoded, make_cache, sampled

TABLE = LABELS.flip_table()


@TRANSFORMS.register_module(force=True)
class GivenMaps:
    """Write maps that a test has made."""

    def __init__(self, maps):
        self.target = DenseTarget(maps, np.ones(len(maps), bool), TABLE)

    def __call__(self, results):
        return {**results, 'targets': {'part_maps': self.target}}


@pytest.fixture
def align(tmp_path):
    """Return the aligned maps of two views of three frames, whose maps are ``MAPS``."""
    cache = {'type': 'mmkd.LoadPartMaps', 'cache': make_cache(tmp_path / 'cache')}

    def run(*transforms, size=4, load=cache, **more):
        step = WithTargets(
            load, {'type': 'mmkd.AlignPartMaps', 'size': size}, transforms
        )
        return step(decoded(sampled([1, 4, 7, 7, 4, 1], views=2, **more)))

    return run


def maps_of(results):
    return results['targets']['part_maps'].maps


def test_unchanged_frames_keep_their_maps(align):
    results = align()
    np.testing.assert_array_equal(maps_of(results), [MAPS, MAPS[::-1]])
    assert results['targets']['part_maps'].valid.shape == (2, 3)
    assert CORNERS not in results


def test_a_mirrored_view_exchanges_left_and_right(align):
    first, second = maps_of(align(PerView([Flip(flip_ratio=1)], views=[1])))
    np.testing.assert_array_equal(first, MAPS)
    np.testing.assert_array_equal(second, TABLE[MAPS[::-1, :, ::-1]])
    assert (second != MAPS[::-1, :, ::-1]).any()


def test_a_crop_of_a_quarter(align):
    """24 x 32 pixels, 4 x 4 cells; 12 x 12 pixels from (8, 6) are 2 x 1.5 cells."""
    np.random.seed(0)
    results = align(RandomCrop(12), size=12)
    left, top = results['crop_bbox'][:2]
    rows, columns = (np.arange(12) + top) // 6, (np.arange(12) + left) // 8
    np.testing.assert_array_equal(maps_of(results)[0], MAPS[:, rows[:, None], columns])


def test_probabilities_follow_with_their_parts(align):
    planes = np.random.default_rng(0).integers(0, 256, (6, 11, 4, 4)).astype(np.uint8)
    load = {'type': 'mmkd.GivenMaps', 'maps': planes}
    maps = maps_of(align(Flip(flip_ratio=1), load=load))
    assert maps.shape == (2, 3, 11, 4, 4)
    expected = planes.reshape(2, 3, 11, 4, 4)[:, :, TABLE, :, ::-1]
    np.testing.assert_array_equal(maps, expected)


def test_probabilities_are_interpolated_between_centres(align):
    planes = np.tile(np.array([0, 80, 160, 240], np.uint8), (6, 11, 4, 1))
    maps = maps_of(align(size=8, load={'type': 'mmkd.GivenMaps', 'maps': planes}))
    # Centres of eighths lie a quarter of a cell beside those of fourths.
    expected = [0, 20, 60, 100, 140, 180, 220, 240]
    np.testing.assert_array_equal(maps, np.tile(expected, (2, 3, 11, 8, 1)))


def test_channels_of_floats_are_not_rounded(align):
    planes = np.tile(np.array([0, 0.8, 1.6, 2.4], np.float32), (6, 11, 4, 1))
    maps = maps_of(align(size=8, load={'type': 'mmkd.GivenMaps', 'maps': planes}))
    assert maps.dtype == np.float32
    np.testing.assert_allclose(maps[0, 0, 0, 0, :3], [0, 0.2, 0.6], atol=1e-6)


def test_255_where_the_view_is_outside_of_the_frame():
    # A black border of 16 pixels on the left, 16 pixels cut off on the right.
    columns = (np.arange(4) + 0.5) / 4 - 0.5
    points = np.stack(np.meshgrid(columns, columns + 0.5), axis=-1)
    maps = sample_labels(MAPS, points)
    assert (maps[..., :2] == 255).all()
    np.testing.assert_array_equal(maps[..., 2:], MAPS[..., :2])


def test_a_quarter_turn_keeps_left_and_right(align):
    crop = RandomCrop(24)
    np.random.seed(0)
    maps = maps_of(align(crop, size=24))
    np.random.seed(0)
    random.seed(1)
    turned = align(crop, PerView([RandomQuarterTurn()]), size=24)
    turns = turned['view_labels']['rotation'].tolist()
    assert len(set(turns)) == 2
    for view, quarter_turns in enumerate(turns):
        expected = np.rot90(maps[view], quarter_turns, axes=(1, 2))
        np.testing.assert_array_equal(maps_of(turned)[view], expected)


@pytest.mark.parametrize(('crop', 'times'), [(ThreeCrop((8, 24)), 3), (TenCrop(8), 10)])
def test_several_crops_of_a_view_give_as_many_maps(align, tmp_path, crop, times):
    cache = str(tmp_path / 'cache')
    # Frame 2 is one beside its map, the others have maps of their own.
    step = WithTargets(
        {'type': 'mmkd.LoadPartMaps', 'cache': cache, 'max_distance': 0},
        {'type': 'mmkd.AlignPartMaps', 'size': 8},
        [crop],
    )
    results = step(decoded(sampled([2, 4, 7, 7, 4, 1], views=2)))
    target = results['targets']['part_maps']
    assert target.maps.shape == (2 * times, 3, 8, 8)
    np.testing.assert_array_equal(
        target.valid, [[False, True, True], [True] * 3] * times
    )
    formatted = FormatShape('NCTHW')(results)
    assert formatted['imgs'].shape[0] == 2 * times


def test_exchanged_parts_of_a_clip_are_refused(align):
    with pytest.raises(UserError, match='ApplyClipTransform'):
        align(view_labels={'transform': np.array([0, 1])})


def half_size(results):
    results['imgs'] = [image[::2, ::2] for image in results['imgs']]
    return results


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (half_size, 'cannot follow half_size'),
        (PerView([half_size]), 'cannot follow half_size'),
        (dict, 'cannot follow dict'),
        (RandomCrop(12, lazy=True), 'Put Fuse before it'),
    ],
)
def test_a_lost_way_is_refused(align, change, message):
    with pytest.raises(UserError, match=message):
        align(change)


@pytest.mark.parametrize('key', ['crop_quadruple', 'flip', 'lazy', 'view_records'])
def test_it_comes_before_crops_and_flips(align, key):
    with pytest.raises(UserError, match=rf'were changed already \({key}\)'):
        align(**{key: None})


def test_it_comes_behind_the_decoding(align, tmp_path):
    load = {'type': 'mmkd.LoadPartMaps', 'cache': str(tmp_path / 'cache')}
    step = WithTargets(load, {'type': 'mmkd.AlignPartMaps'})
    with pytest.raises(UserError, match=r'are not there\. Put it right behind'):
        step(sampled([1, 4]))


def test_key_points_are_refused(align):
    with pytest.raises(UserError, match='key points'):
        align(keypoint=np.zeros((1, 6, 17, 2)))


def test_nothing_to_align():
    with pytest.raises(UserError, match=r'mmkd\.WithTargets'):
        AlignPartMaps()(decoded(sampled([1])))


def test_steps_that_stand_alone_are_refused(tmp_path):
    """As they stood in pipelines before, nothing would follow the pixels."""
    load = LoadPartMaps(make_cache(tmp_path / 'cache'))
    results = load(decoded(sampled([1, 4, 7])))
    with pytest.raises(UserError, match='no dense targets followed the pixels'):
        AlignPartMaps()(results)
