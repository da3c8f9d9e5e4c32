"""Pooling of part maps against loops over every pixel."""

import itertools

import pytest
import torch
from torch import Tensor

from mmkd.methods.human_prior import pool_parts


def slow(maps: Tensor, valid: Tensor, parts: int, size: tuple[int, int, int]) -> Tensor:
    """Sum what every pixel says in the cell that its centre lies in, in float64."""
    mass = torch.zeros(len(maps), parts, *size, dtype=torch.float64)
    axes = (maps.shape[1], *maps.shape[-2:])
    positions = itertools.product(range(len(maps)), *map(range, axes))
    for clip, *position in positions:
        if not valid[clip, position[0]]:
            continue
        cell = [
            int((p + 0.5) / n * c) for p, n, c in zip(position, axes, size, strict=True)
        ]
        frame, y, x = position
        if maps.ndim == 5:
            mass[clip, :, *cell] += maps[clip, frame, :, y, x].double() / 255
        elif maps[clip, frame, y, x] < parts:
            mass[clip, int(maps[clip, frame, y, x]), *cell] += 1
    return mass


def pixels_of(axes: tuple[int, ...], size: tuple[int, int, int]) -> Tensor:
    """Count the pixels of each cell."""
    one = slow(torch.zeros(1, *axes), torch.ones(1, axes[0]).bool(), 1, size)
    return one[0, 0]


# Cells that divide the map evenly, that do not, and more cells than pixels.
SIZES = [(2, 4, 2), (1, 3, 5), (3, 4, 3), (4, 9, 8)]


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('form', ['labels', 'probabilities'])
def test_equals_loops_over_pixels(form: str, size: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    parts, frames, side = 5, 4, 8
    if form == 'labels':
        maps = torch.randint(parts, (2, frames, side, side)).byte()
        maps[0, :, :3] = 255
    else:
        maps = torch.rand(2, frames, parts, side, side)
        maps = (maps / maps.sum(dim=2, keepdim=True) * 255).round().byte()
        maps[0, :, :, :3] = 0
    valid = torch.tensor([[True, False, True, True], [True] * 4])
    share, known = pool_parts(maps, valid, parts, size)
    mass = slow(maps, valid, parts, size)
    total = mass.sum(dim=1)
    expected = mass / total.clamp(min=1e-9)[:, None]
    torch.testing.assert_close(share.double(), expected, atol=1e-6, rtol=1e-6)
    pixels = pixels_of((frames, side, side), size)
    torch.testing.assert_close(
        known.double(), total / pixels.clamp(min=1), atol=1e-6, rtol=1e-6
    )
    assert (known == 0).any() == (total == 0).any()


def test_a_known_picture() -> None:
    """Left half is part 1, a quarter of the right half part 2; half the frames."""
    maps = torch.zeros(1, 4, 4, 4, dtype=torch.uint8)
    maps[..., :2] = 1
    maps[..., :2, 2] = 2
    maps[0, 3] = 255
    valid = torch.tensor([[True, True, False, True]])
    share, known = pool_parts(maps, valid, 3, (1, 1, 2))
    assert known[0, 0, 0].tolist() == [0.5, 0.5]
    assert share[0, :, 0, 0, 0].tolist() == [0, 1, 0]
    assert share[0, :, 0, 0, 1].tolist() == [0.75, 0, 0.25]


def test_nothing_known_is_zero_not_nan() -> None:
    maps = torch.full((1, 2, 4, 4), 255, dtype=torch.uint8)
    share, known = pool_parts(maps, torch.ones(1, 2).bool(), 3, (1, 2, 2))
    assert not share.any() and not known.any()


@pytest.mark.parametrize(
    ('maps', 'valid'),
    [((1, 2, 4, 4), (1, 3)), ((1, 2, 4), (1, 2)), ((1, 2, 7, 4, 4), (1, 2))],
)
def test_shapes_must_go_together(maps: tuple[int, ...], valid: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match='maps'):
        pool_parts(
            torch.zeros(maps, dtype=torch.uint8), torch.ones(valid).bool(), 3, (1, 2, 2)
        )
