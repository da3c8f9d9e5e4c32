import numpy as np
import pytest

from mmkd.datasets.part_maps.file import PartMapFile
from tests.datasets.part_maps.test_encoding import data


@pytest.mark.parametrize('frames', [(1, 4, 7), (0, 1, 8), (2, 5, 6)])
def test_nearest_is_that_of_an_obvious_twin(tmp_path, frames):
    (tmp_path / 'x.parts').write_bytes(data(frames=frames))
    maps = PartMapFile.open(tmp_path / 'x.parts')
    wanted = np.array([8, 0, 3, 5, 2, 2, 6, 7, 1, 4])
    places, distances = maps.nearest(wanted)
    for frame, place, distance in zip(wanted, places, distances, strict=True):
        by_distance = sorted(range(3), key=lambda n: (abs(frames[n] - frame), n))
        assert (place, distance) == (by_distance[0], abs(frames[place] - frame))
