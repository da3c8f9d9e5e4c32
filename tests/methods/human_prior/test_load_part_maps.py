import numpy as np
import pytest

from mmkd.errors import UserError
from mmkd.methods.human_prior import LoadPartMaps
from mmkd.registry import TRANSFORMS
from tests.methods.human_prior.part_maps.made_maps import LABELS, MAPS
from tests.methods.human_prior.part_samples import make_cache, sampled


@pytest.fixture
def cache(tmp_path):
    return make_cache(tmp_path / 'cache')


def loaded(load, results):
    return load(results)['targets']['part_maps']


def test_every_frame_gets_the_nearest_map(cache):
    target = loaded(LoadPartMaps(cache), sampled([8, 0, 2, 3, 6, 4], views=2))
    np.testing.assert_array_equal(target.maps, MAPS[[2, 0, 0, 1, 2, 1]])
    assert target.maps.dtype == np.uint8
    assert target.valid.tolist() == [True] * 6
    np.testing.assert_array_equal(target.mirrored, LABELS.flip_table())


@pytest.mark.parametrize(
    ('distance', 'valid'),
    [(None, [1, 1, 1, 1]), (0, [0, 1, 0, 1]), (1, [1, 1, 1, 1])],
)
def test_valid_within_the_distance(cache, distance, valid):
    load = LoadPartMaps(cache, max_distance=distance)
    assert loaded(load, sampled([0, 1, 3, 7])).valid.tolist() == valid


def test_a_start_index_is_taken_off(cache):
    load = LoadPartMaps(cache, max_distance=0)
    target = loaded(load, sampled([2, 8], start_index=1))
    np.testing.assert_array_equal(target.maps, MAPS[[0, 2]])
    assert target.valid.all()


def test_other_targets_of_the_sample_stay(cache):
    results = LoadPartMaps(cache)(sampled([1], targets={'depth': 1}))
    assert set(results['targets']) == {'depth', 'part_maps'}


def test_a_video_without_maps(cache):
    other = sampled([1, 4], filename='videos/a/c.avi')
    with pytest.raises(UserError, match=r'no part maps of videos/a/c\.avi'):
        LoadPartMaps(cache)(dict(other))
    target = loaded(LoadPartMaps(cache, missing='invalid'), dict(other))
    assert target.maps.shape == (2, 4, 4)
    assert target.valid.tolist() == [False, False]
    known = loaded(LoadPartMaps(cache, missing='invalid'), sampled([1, 4]))
    assert known.valid.all()


def test_another_file_is_refused(cache):
    with pytest.raises(UserError, match='another file'):
        LoadPartMaps(cache)(sampled([1], total_frames=10))


def test_bad_options():
    with pytest.raises(UserError, match="missing='skip'"):
        LoadPartMaps('cache', missing='skip')


def test_the_cache_is_opened_at_the_first_sample(tmp_path):
    load = TRANSFORMS.build({'type': 'mmkd.LoadPartMaps', 'cache': str(tmp_path)})
    with pytest.raises(UserError, match='holds no part maps'):
        load(sampled([1]))
