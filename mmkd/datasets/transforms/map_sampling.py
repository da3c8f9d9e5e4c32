"""Read maps of whole frames at the cells of a view, as pure functions. Ours."""

import numpy as np
import torch
import torch.nn.functional as F

OUTSIDE = 255


def cell_centres(size: int, height: float, width: float) -> np.ndarray:
    """Return the centres of a grid of cells over a view, in pixels.

    Args:
        size: Cells of a side, s.
        height: Of the view, in pixels.
        width: Of the view, in pixels.

    Returns:
        ``(s, s, 2)``: x and y. A pixel is a square of side 1, the first corner 0.
    """
    shares = (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(shares * width, shares * height)
    return np.stack([x, y], axis=-1)


def sample_labels(maps: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Take the nearest cell of label maps.

    Args:
        maps: ``(T, h, w)``, uint8.
        places: Shares of the frame ``(s, s, 2)``, x and y.

    Returns:
        ``(T, s, s)``, uint8; 255 outside of the frame.
    """
    cells = np.floor(places * [maps.shape[2], maps.shape[1]]).astype(np.int64)
    x = cells[..., 0].clip(0, maps.shape[2] - 1)
    y = cells[..., 1].clip(0, maps.shape[1] - 1)
    flat = maps.reshape(len(maps), -1).take((y * maps.shape[2] + x).ravel(), axis=1)
    sampled = flat.reshape(len(maps), *places.shape[:2])
    outside = _outside(places)
    if outside.any():
        sampled[:, outside] = OUTSIDE
    return sampled


def sample_probabilities(maps: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Interpolate probabilities bilinearly between the centres of their cells.

    Args:
        maps: ``(T, K, h, w)``, uint8 in steps of 1/255.
        places: Shares of the frame ``(s, s, 2)``, x and y.

    Returns:
        ``(T, K, s, s)``, uint8; 0 for all parts outside of the frame.
    """
    flat = torch.from_numpy(maps.reshape(1, -1, *maps.shape[2:])).float()
    grid = torch.from_numpy(2 * places - 1).float()[None]
    sampled = F.grid_sample(flat, grid, padding_mode='border', align_corners=False)
    values = sampled.round().to(torch.uint8).numpy()
    values = values.reshape(*maps.shape[:2], *places.shape[:2])
    values[..., _outside(places)] = 0
    return values


def _outside(places: np.ndarray) -> np.ndarray:
    return np.any((places < 0) | (places >= 1), axis=-1)
