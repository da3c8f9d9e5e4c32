import numpy as np
import pytest

from mmkd.datasets.transforms import LoadPartMaps
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


@pytest.mark.parametrize('behind', [False, True])
def test_the_way_starts_at_the_whole_frame_of_any_size(cache, behind):
    """Packed frames may have another size than those that the maps are of."""
    load = LoadPartMaps(cache)
    results = sampled([1, 4], views=2)
    if behind:
        results = load(decoded(results, 12, 20))
    else:
        results = load(results)
        results['img_shape'] = (12, 20)
    assert len(results.ways) == 2
    for way in results.ways:
        places = way.places_in_frame(np.array([[0, 0], [5, 9], [20, 12]]))
        np.testing.assert_allclose(places, [[0, 0], [0.25, 0.75], [1, 1]])


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


@pytest.mark.parametrize(
    'key', ['crop_quadruple', 'flip', 'lazy', 'view_records', 'keypoint']
)
def test_it_comes_before_crops_and_flips(cache, key):
    with pytest.raises(UserError, match='LoadPartMaps'):
        LoadPartMaps(cache)(sampled([1], **{key: None}))


def test_bad_options():
    with pytest.raises(UserError, match="missing='skip'"):
        LoadPartMaps('cache', missing='skip')


def test_the_cache_is_opened_at_the_first_sample(tmp_path):
    load = TRANSFORMS.build({'type': 'mmkd.LoadPartMaps', 'cache': str(tmp_path)})
    with pytest.raises(UserError, match='holds no part maps'):
        load(sampled([1]))
