"""Dense targets of frames: segmentation labels or channels, and their sampling."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

#: Label of a cell that lies outside of the frame.
OUTSIDE = 255


@dataclass(frozen=True)
class DenseTarget:
    """Maps of the frames of a sample, over the whole frames or over its views.

    Attributes:
        maps: Labels, uint8 ``(F, h, w)``; or channels ``(F, K, h, w)``, for instance
            probabilities in steps of 1/255. Aligned with M views of T frames:
            ``(M, T, s, s)`` or ``(M, T, K, s, s)``.
        valid: Whether a frame has a map, bool ``(F,)``; aligned ``(M, T)``.
        mirrored: What each label or channel becomes in a mirrored frame, uint8
            ``(K,)``; None if a mirror exchanges none. Its own inverse.
    """

    maps: np.ndarray
    valid: np.ndarray
    mirrored: np.ndarray | None = None


def cell_centres(size: int) -> np.ndarray:
    """Return the centres of s x s cells over a view, as shares of it, ``(s, s, 2)``."""
    shares = (np.arange(size) + 0.5) / size
    return np.stack(np.meshgrid(shares, shares), axis=-1)


def sample_target(target: DenseTarget, points: np.ndarray, mirror: bool) -> np.ndarray:
    """Read maps of whole frames at points: nearest labels, bilinear channels.

    Args:
        target: Maps of T frames.
        points: Shares of the frame ``(s, s, 2)``, x and y.
        mirror: Whether left and right are exchanged in the view.

    Returns:
        ``(T, s, s)``, 255 outside of the frame; or ``(T, K, s, s)``, 0 outside.
    """
    maps, table = target.maps, target.mirrored if mirror else None
    if maps.ndim == 3:
        if table is not None:
            full = np.full(OUTSIDE + 1, OUTSIDE, np.uint8)
            full[: len(table)] = table
            maps = full.take(maps)
        return sample_labels(maps, points)
    # The exchange is its own inverse, so it serves as an order of channels as well.
    return sample_channels(maps if table is None else maps[:, table], points)


def sample_labels(maps: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Take the nearest cell of label maps.

    Args:
        maps: ``(T, h, w)``, uint8.
        points: Shares of the frame ``(s, s, 2)``, x and y.

    Returns:
        ``(T, s, s)``, uint8; 255 outside of the frame.
    """
    cells = np.floor(points * [maps.shape[2], maps.shape[1]]).astype(np.int64)
    x = cells[..., 0].clip(0, maps.shape[2] - 1)
    y = cells[..., 1].clip(0, maps.shape[1] - 1)
    flat = maps.reshape(len(maps), -1).take((y * maps.shape[2] + x).ravel(), axis=1)
    sampled = flat.reshape(len(maps), *points.shape[:2])
    outside = _outside(points)
    if outside.any():
        sampled[:, outside] = OUTSIDE
    return sampled


def sample_channels(maps: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Interpolate channels bilinearly between the centres of their cells.

    Args:
        maps: ``(T, K, h, w)``; uint8 is rounded to steps of 1/255.
        points: Shares of the frame ``(s, s, 2)``, x and y.

    Returns:
        ``(T, K, s, s)`` of the same type; 0 outside of the frame.
    """
    flat = torch.from_numpy(maps.reshape(1, -1, *maps.shape[2:])).float()
    grid = torch.from_numpy(2 * points - 1).float()[None]
    sampled = F.grid_sample(flat, grid, padding_mode='border', align_corners=False)
    values = (sampled.round() if maps.dtype == np.uint8 else sampled).numpy()
    values = values.astype(maps.dtype).reshape(*maps.shape[:2], *points.shape[:2])
    values[..., _outside(points)] = 0
    return values


def _outside(points: np.ndarray) -> np.ndarray:
    return np.any((points < 0) | (points >= 1), axis=-1)
