"""Run transforms; dense targets follow the pixels by an affine map of each view.

A transform that moves pixels is run once more, with the same random draws, on a
picture that shows at each pixel where that pixel lies; the answer tells where each
pixel of the new view comes from, whatever the transform wrote down about itself.
Images and generators end as they do without targets.
"""

import copy
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import torch
from mmaction.datasets.transforms import (
    CenterCrop,
    ColorJitter,
    Flip,
    Fuse,
    MultiScaleCrop,
    RandomCrop,
    RandomRescale,
    RandomResizedCrop,
    Resize,
    TenCrop,
    ThreeCrop,
    TorchVisionWrapper,
)
from mmaction.datasets.transforms.processing import RandomErasing

from mmkd.datasets.clip_types import AnyResults
from mmkd.errors import UserError

Transform = Callable[[AnyResults], AnyResults | None]

#: Key of the targets of a sample, by name.
TARGETS: Final = 'targets'
#: Where the upper left, upper right and lower left corner of each view lie in the
#: frame, as shares (x, y) of it: float64 ``(M, 3, 2)``. There while targets follow.
CORNERS: Final = 'view_corners'

WHOLE_FRAME = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])

# Transforms of MMAction2; others say it by a class attribute ``moves_pixels``.
_MOVING = (
    *(CenterCrop, MultiScaleCrop, RandomCrop, RandomResizedCrop, TenCrop, ThreeCrop),
    *(Flip, Fuse, RandomRescale, Resize),
)
_RESTING = (ColorJitter, RandomErasing)
#: Of torchvision: they leave every pixel where it is.
_COLORS = frozenset(
    {
        *('ColorJitter', 'GaussianBlur', 'Grayscale', 'RandomAdjustSharpness'),
        *('RandomAutocontrast', 'RandomEqualize', 'RandomGrayscale', 'RandomInvert'),
        *('RandomPosterize', 'RandomSolarize'),
    }
)


def run_transforms(
    transforms: Iterable[Transform], results: AnyResults
) -> AnyResults | None:
    """Run transforms one after the other; targets of the sample follow the pixels.

    A sample without ``view_corners`` has none that follow.

    Returns:
        The sample, or None if a transform returned None.

    Raises:
        UserError: If targets cannot follow a transform.
    """
    done: AnyResults | None = results
    for transform in transforms:
        done = None if done is None else _run(transform, done)
    return done


def _run(transform: Transform, results: AnyResults) -> AnyResults | None:
    moving = _moves_pixels(transform) if CORNERS in results else None
    if moving is None:
        return transform(results)
    keys: tuple[str, ...] = (CORNERS, TARGETS)
    held = {key: results.pop(key) for key in keys if key in results}
    size, count = results['imgs'][0].shape[:2], len(results['imgs'])
    pictures = [_coordinates(*size)]
    if moving:
        with _same_draws():
            pictures = _replay(transform, results, pictures)
    done = transform(results)
    if done is None:
        return None
    _check_frames(transform, done['imgs'], count, pictures)
    if moving:
        points = [_corners_of(transform, p) / [size[1], size[0]] for p in pictures]
        held[CORNERS] = np.concatenate([within(held[CORNERS], p) for p in points])
    done.update(held)
    return done


def _moves_pixels(transform: Transform) -> bool | None:
    """Tell whether a transform moves pixels; None if it lets targets follow itself."""
    if isinstance(transform, _MOVING):
        return True
    inner = type(getattr(transform, 'trans', None)).__name__
    wrapped = isinstance(transform, TorchVisionWrapper)
    if isinstance(transform, _RESTING) or (wrapped and inner in _COLORS):
        return False
    if hasattr(transform, 'moves_pixels'):
        return transform.moves_pixels  # type: ignore[no-any-return]
    raise UserError(
        f'dense targets cannot follow {_name(transform)}'
        f'{"" if inner == "NoneType" else f" of {inner}"}, of which it is not known '
        'where it moves the pixels',
        "Use MMAction2's own crops and flips, and mmkd.ColorJitter for colours; or "
        'give a class of your own the attribute moves_pixels = True or False.',
    )


def _replay(
    transform: Transform, results: AnyResults, pictures: list[np.ndarray]
) -> list[np.ndarray]:
    """Run a transform on other pictures than those of the sample, which stays."""
    others = {key: value for key, value in results.items() if key != 'imgs'}
    others = {**copy.deepcopy(others), 'imgs': pictures}
    # Bilinearly, a coordinate stays what it is; other ways overshoot or round it.
    if 'lazy' in others:
        others['lazy']['interpolation'] = 'bilinear'
    if hasattr(transform, 'interpolation'):
        transform = copy.copy(transform)
        transform.interpolation = 'bilinear'  # type: ignore[attr-defined]
    moved: list[np.ndarray] = transform(others)['imgs']  # type: ignore[index]
    return moved


@contextmanager
def _same_draws() -> Iterator[None]:
    """Leave the generators as they were found, so that what follows draws the same."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def _coordinates(height: int, width: int) -> np.ndarray:
    """Return the centre of each pixel in pixels, float32 ``(H, W, 2)``, x and y."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack([x, y], axis=-1).astype(np.float32) + np.float32(0.5)


def _corners_of(transform: Transform, picture: np.ndarray) -> np.ndarray:
    """Fit a view's affine map to the view before it; return three corners ``(3, 2)``.

    The picture ``(h, w, 2)`` shows the coordinates of the pixels in the view before.
    Refused is what is no resize, crop, flip or turn.
    """
    height, width = picture.shape[:2]
    # Near its border, a resized picture repeats the outermost pixels.
    inner = picture[height // 4 : height - height // 4, width // 4 : width - width // 4]
    inner = inner.astype(np.float64)
    centre = inner.mean((0, 1))
    down, right = (_slope(inner.mean(axis), transform) for axis in (1, 0))
    rows, columns = (np.arange(n) - (n - 1) / 2 for n in inner.shape[:2])
    straight = centre + rows[:, None, None] * down + columns[:, None] * right
    if np.abs(inner - straight).max() > 0.01:
        raise UserError(
            f'dense targets cannot follow {_name(transform)}, which does more than '
            'resize, crop, flip and turn',
            'Leave it out.',
        )
    down, right = down * height / 2, right * width / 2
    corners = np.stack([-down - right, right - down, down - right]) + centre
    # Crops begin at whole pixels: what is left of them is the error of float32.
    return corners.round(2)


def _slope(values: np.ndarray, transform: Transform) -> np.ndarray:
    """Return by how much the coordinates ``(n, 2)`` grow from a pixel to the next."""
    steps = np.arange(len(values)) - (len(values) - 1) / 2
    if len(values) < 2:
        raise UserError(
            f'dense targets cannot follow {_name(transform)} to a view of one pixel',
            'Give it another size.',
        )
    slope: np.ndarray = steps @ values / (steps @ steps)
    return slope


def within(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return where points of views lie in the frame, in shares of it ``(M, ..., 2)``.

    Args:
        corners: Of the views, ``(M, 3, 2)``.
        points: Shares ``(..., 2)`` of a view, x and y.
    """
    corner = corners.reshape(-1, 3, *(1,) * (points.ndim - 1), 2)
    right, down = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    moved: np.ndarray = corner[:, 0] + points[..., :1] * right + points[..., 1:] * down
    return moved


def _check_frames(
    transform: Transform, imgs: list[Any], count: int, pictures: list[np.ndarray]
) -> None:
    found, size = (len(imgs), imgs[0].shape[:2]), pictures[0].shape[:2]
    if found != (count * len(pictures), size):
        raise UserError(
            f'dense targets cannot follow {_name(transform)}: it left {found[0]} '
            f'frames of {found[1]} pixels, not {count * len(pictures)} of {size}',
            'Leave out the transform that changes frames otherwise than it says.',
        )


def _name(transform: Transform) -> str:
    return str(getattr(transform, '__name__', type(transform).__name__))
