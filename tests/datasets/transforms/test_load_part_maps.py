import numpy as np
import pytest

from mmkd.datasets.transforms import LoadPartMaps
from mmkd.datasets.transforms.frame_points import PLACES
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS
from tests.datasets.part_maps.test_encoding import LABELS, MAPS
from tests.datasets.transforms.part_samples import decoded, make_cache, sampled


@pytest.fixture
def cache(tmp_path):
    return make_cache(tmp_path / 'cache')


def test_every_frame_gets_the_nearest_map(cache):
    results = LoadPartMaps(cache)(sampled([8, 0, 2, 3, 6, 4], views=2))
    np.testing.assert_array_equal(results['part_maps'], MAPS[[2, 0, 0, 1, 2, 1]])
    assert results['part_maps'].dtype == np.uint8
    assert results['part_valid'].tolist() == [True] * 6
    assert results['part_label_set'] == 'gray'
    np.testing.assert_array_equal(results['part_flip_table'], LABELS.flip_table())


@pytest.mark.parametrize(
    ('distance', 'valid'),
    [(None, [1, 1, 1, 1]), (0, [0, 1, 0, 1]), (1, [1, 1, 1, 1])],
)
def test_valid_within_the_distance(cache, distance, valid):
    load = LoadPartMaps(cache, max_distance=distance)
    assert load(sampled([0, 1, 3, 7]))['part_valid'].tolist() == valid


def test_a_start_index_is_taken_off(cache):
    results = LoadPartMaps(cache, max_distance=0)(sampled([2, 8], start_index=1))
    np.testing.assert_array_equal(results['part_maps'], MAPS[[0, 2]])
    assert results['part_valid'].all()


def test_points_start_in_the_pixels_of_the_frames(cache):
    load = LoadPartMaps(cache)
    before = load(sampled([1, 4], views=2))
    np.testing.assert_allclose(
        before['keypoint'], np.tile(PLACES * [32, 24], (2, 1, 1, 1))
    )
    assert before['part_frame_shape'] == (24, 32)
    # Packed frames may have another size; the maps are of the whole frame all the same.
    after = load(decoded(sampled([1, 4], views=2), 12, 20))
    np.testing.assert_allclose(after['keypoint'][1, 0], PLACES * [20, 12])
    assert 'part_frame_shape' not in after
    assert 'keypoint' not in LoadPartMaps(cache, follow='records')(sampled([1]))


def test_a_video_without_maps(cache):
    other = sampled([1, 4], filename='videos/a/c.avi')
    with pytest.raises(UserError, match=r'no part maps of videos/a/c\.avi'):
        LoadPartMaps(cache)(dict(other))
    results = LoadPartMaps(cache, missing='invalid')(dict(other))
    assert results['part_maps'].shape == (2, 4, 4)
    assert results['part_valid'].tolist() == [False, False]
    known = LoadPartMaps(cache, missing='invalid')(sampled([1, 4]))
    assert known['part_valid'].all()


def test_another_file_is_refused(cache):
    with pytest.raises(UserError, match='another file'):
        LoadPartMaps(cache)(sampled([1], total_frames=10))


@pytest.mark.parametrize('key', ['crop_quadruple', 'flip', 'view_records', 'keypoint'])
def test_it_comes_before_crops_and_flips(cache, key):
    with pytest.raises(UserError, match='LoadPartMaps'):
        LoadPartMaps(cache)(sampled([1], **{key: None}))


@pytest.mark.parametrize('option', [{'missing': 'skip'}, {'follow': 'x'}])
def test_bad_options(option):
    with pytest.raises(UserError, match='LoadPartMaps'):
        LoadPartMaps('cache', **option)


def test_the_cache_is_opened_at_the_first_sample(tmp_path):
    load = TRANSFORMS.build({'type': 'mmkd.LoadPartMaps', 'cache': str(tmp_path)})
    with pytest.raises(UserError, match='holds no part maps'):
        load(sampled([1]))
