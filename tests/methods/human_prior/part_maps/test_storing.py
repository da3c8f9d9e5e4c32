from dataclasses import replace

import numpy as np
import pytest
import torch

from mmkd.methods.human_prior.part_maps.extractor import (
    resize_probabilities,
    stored_frames,
    to_stored,
)
from tests.methods.human_prior.part_maps.made_maps import IDENTITY


@pytest.mark.parametrize('total', [1, 2, 3, 4, 9, 30, 31])
@pytest.mark.parametrize('stride', [1, 2, 3, 4, 7, 40])
def test_no_frame_is_farther_than_half_a_stride(total, stride):
    stored = stored_frames(total, stride)
    assert len(stored) == -(-total // stride) or stored[-1] == total - 1
    assert (np.diff(stored) > 0).all()
    distances = np.abs(np.arange(total)[:, None] - stored).min(1)
    assert distances.max() <= stride // 2


def probabilities(height, width):
    raw = torch.rand(2, 11, height, width, generator=torch.Generator().manual_seed(0))
    return raw / raw.sum(1, keepdim=True)


def test_means_over_areas():
    given = probabilities(8, 12)
    resized = resize_probabilities(given, 4)
    expected = given.reshape(2, 11, 4, 2, 4, 3).mean((3, 5))
    torch.testing.assert_close(resized, expected)


@pytest.mark.parametrize('shape', [(4, 4), (3, 3), (2, 9), (8, 12), (7, 5)])
def test_the_parts_still_sum_to_one(shape):
    sums = resize_probabilities(probabilities(*shape), 4).sum(1)
    torch.testing.assert_close(sums, torch.ones(2, 4, 4))


def test_a_coarse_map_is_placed_on_the_whole_frame():
    """Cells of equal shares: the halves of a 2 x 2 map stay halves."""
    coarse = torch.tensor([[1.0, 0.0], [1.0, 0.0]]).expand(1, 1, 2, 2)
    fine = resize_probabilities(coarse, 8)[0, 0]
    torch.testing.assert_close(fine, 1 - fine.flip(1))
    assert (fine[:, :4] > 0.5).all()


def test_labels_and_their_share():
    given = torch.zeros(1, 11, 4, 4)
    given[:, 0] = 1
    given[0, :, 1, 2] = torch.eye(11)[7]
    maps, share = to_stored(given, IDENTITY)
    assert maps.dtype == np.uint8
    assert maps[0, 1, 2] == 7
    assert maps.sum() == 7
    assert share.tolist() == [1 / 16]


def test_probabilities_and_their_share():
    given = probabilities(4, 4)
    maps, share = to_stored(given, replace(IDENTITY, form='probabilities'))
    np.testing.assert_array_equal(maps, np.round(given.numpy() * 255))
    expected = 1 - given[:, 0].numpy().mean((1, 2))
    np.testing.assert_allclose(share, expected, rtol=1e-6)
