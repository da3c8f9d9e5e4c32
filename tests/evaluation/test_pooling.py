import torch

from mmkd.evaluation.features import POOLINGS, max_pool_map


def test_max_pooling_gives_the_9216_numbers_of_vcop() -> None:
    x = torch.randn(2, 512, 2, 7, 7)
    found = max_pool_map(x)
    assert found.shape == (2, 9216)
    twin = torch.stack(
        [
            x[:, :, t, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].flatten(2).max(2).values
            for t in range(2)
            for i in range(3)
            for j in range(3)
        ],
        dim=2,
    )
    assert torch.equal(found, twin.flatten(1))


def test_a_map_of_one_position_is_kept() -> None:
    x = torch.randn(3, 4, 2, 1, 1)
    assert torch.equal(max_pool_map(x), x.flatten(1))
    assert torch.allclose(POOLINGS['average'](x), x.mean((2, 3, 4)))
