"""From part probabilities to what a cache stores, and which frames it stores."""

import numpy as np
import torch
import torch.nn.functional as F

from mmkd.datasets.part_maps.identity import CacheIdentity


def stored_frames(total_frames: int, stride: int) -> np.ndarray:
    """Return the frames of a video that get a map, rising, ``(S,)``.

    They lie in the middle of stretches of ``stride`` frames, so that no frame is
    farther than half a stride from one of them.

    Example:
        >>> stored_frames(9, 4).tolist()
        [2, 6, 8]
    """
    middles = np.arange(0, total_frames, stride, dtype=np.int64) + stride // 2
    return np.unique(middles.clip(0, total_frames - 1))


def resize_probabilities(probabilities: torch.Tensor, size: int) -> torch.Tensor:
    """Bring part probabilities ``(F, K, h, w)`` to ``(F, K, s, s)``.

    Means over areas where the map is the finer one, else bilinear: both keep the sum
    over the parts.
    """
    if probabilities.shape[-2:] == (size, size):
        return probabilities
    if min(probabilities.shape[-2:]) >= size:
        return F.interpolate(probabilities, (size, size), mode='area')
    return F.interpolate(probabilities, (size, size), mode='bilinear', antialias=True)


def to_stored(
    probabilities: torch.Tensor, identity: CacheIdentity
) -> tuple[np.ndarray, np.ndarray]:
    """Bring the output of a parser into the form of a cache.

    Args:
        probabilities: ``(F, K, h, w)``, float32, of the whole frames.
        identity: The cache.

    Returns:
        Maps, uint8 ``(F, s, s)`` or ``(F, K, s, s)``; and the share of each frame that
        is not background, ``(F,)``: cells in label maps, else probability.
    """
    resized = resize_probabilities(probabilities.float(), identity.size)
    background = identity.label_set.background
    if identity.form == 'labels':
        maps = resized.argmax(1).to(torch.uint8)
        share = (maps != background).float().mean((1, 2))
    else:
        maps = (resized * 255).round().clamp(0, 255).to(torch.uint8)
        share = 1 - resized[:, background].mean((1, 2))
    return maps.cpu().numpy(), share.cpu().numpy()
