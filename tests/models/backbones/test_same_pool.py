import torch

from mmkd.models.backbones.s3dg import SamePool3d


def slow_pool(row, size, stride):
    """One axis, by hand: zeros behind, then every window that begins inside."""
    padded = list(row) + [0.0] * (size - stride)
    starts = range(0, len(padded), stride)
    count = -(-(len(padded) - size) // stride) + 1
    return [max(padded[start : start + size]) for start in list(starts)[:count]]


def test_one_axis_by_hand():
    for length in range(3, 10):
        row = torch.rand(length)
        pooled = SamePool3d((1, 1, 3), (1, 1, 2))(row.reshape(1, 1, 1, 1, -1))
        expected = slow_pool(row.tolist(), 3, 2)
        torch.testing.assert_close(pooled.flatten(), torch.tensor(expected))


def test_each_axis_has_its_own_padding():
    pool = SamePool3d((3, 2, 1), (2, 2, 1))
    assert pool.padding == [0, 0, 0, 0, 0, 1]
    assert pool(torch.rand(1, 2, 5, 5, 5)).shape == (1, 2, 3, 3, 5)
