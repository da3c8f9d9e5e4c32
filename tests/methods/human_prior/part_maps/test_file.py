import os

import numpy as np
import pytest

from mmkd.errors import UserError
from mmkd.methods.human_prior.part_maps.cache import PartMapFile
from mmkd.methods.human_prior.part_maps.identity import read_identity
from tests.methods.human_prior.part_maps.made_maps import data


@pytest.mark.parametrize('frames', [(1, 4, 7), (0, 1, 8), (2, 5, 6)])
def test_nearest_is_that_of_an_obvious_twin(tmp_path, frames):
    (tmp_path / 'x.npz').write_bytes(data(frames=frames))
    maps = PartMapFile.open(tmp_path / 'x.npz')
    wanted = np.array([8, 0, 3, 5, 2, 2, 6, 7, 1, 4])
    positions, distances = maps.nearest(wanted)
    for frame, position, distance in zip(wanted, positions, distances, strict=True):
        by_distance = sorted(range(3), key=lambda n: (abs(frames[n] - frame), n))
        assert (position, distance) == (by_distance[0], abs(frames[position] - frame))


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / 'x.npz')
    with pytest.raises(UserError, match='cannot be read: not a regular file'):
        PartMapFile.open(tmp_path / 'x.npz')
    os.mkfifo(tmp_path / 'cache.json')
    with pytest.raises(UserError, match='holds no part maps'):
        read_identity(tmp_path)
