"""Colour operations on batches of frames, each frame with its own value.

The definitions are those of torchvision and PIL, level by level: every result is
clipped to 0..255 and, but for hue, cut off to a whole number.
Source: https://docs.pytorch.org/vision/stable/transforms.html
"""

import torch
from torch import Tensor

# ITU-R 601-2 in 1 / 65536, as PIL has it; all sums are exact in single precision.
_LUMA = (19595.0, 38470.0, 7471.0)


def to_luma(frames: Tensor) -> Tensor:
    """Return the grey values.

    Args:
        frames: uint8 RGB ``(F, 3, H, W)``.

    Returns:
        float32 of whole numbers ``(F, 1, H, W)``.
    """
    red, green, blue = frames.float().split(1, dim=1)
    luma = red * _LUMA[0]
    luma += green * _LUMA[1]
    luma += blue * _LUMA[2]
    return luma.add_(32768.0).div_(65536.0).floor_()


def to_grayscale(frames: Tensor) -> Tensor:
    """Return uint8 frames ``(F, 3, H, W)`` of three equal channels."""
    return to_luma(frames).byte().expand_as(frames)


def _blend(base: Tensor | float, frames: Tensor, factor: Tensor) -> Tensor:
    """Return ``base + factor * (frames - base)``, clipped and cut off, as uint8."""
    factor = factor.view(-1, 1, 1, 1)
    # uint8 - float promotes to float.
    mixed = (frames - base).mul_(factor).add_(base)
    return mixed.clamp_(0, 255).byte()


def adjust_brightness(frames: Tensor, factor: Tensor) -> Tensor:
    """Blend with black.

    Args:
        frames: uint8 RGB ``(F, 3, H, W)``.
        factor: ``(F,)``, at least 0: 0 is black, 1 the frame itself.
    """
    return _blend(0.0, frames, factor)


def adjust_contrast(frames: Tensor, factor: Tensor) -> Tensor:
    """Blend each frame with the rounded mean of its grey values.

    Args:
        frames: uint8 RGB ``(F, 3, H, W)``.
        factor: ``(F,)``, at least 0: 0 is flat grey, 1 the frame itself.
    """
    mean = to_luma(frames).mean((1, 2, 3), keepdim=True, dtype=torch.float64)
    return _blend((mean + 0.5).floor_().float(), frames, factor)


def adjust_saturation(frames: Tensor, factor: Tensor) -> Tensor:
    """Blend each pixel with its grey value.

    Args:
        frames: uint8 RGB ``(F, 3, H, W)``.
        factor: ``(F,)``, at least 0: 0 is grey, 1 the frame itself.
    """
    return _blend(to_luma(frames), frames, factor)


def adjust_hue(frames: Tensor, turn: Tensor) -> Tensor:
    """Shift the hue, saturation and value staying as they are.

    Single precision and rounded, as in :mod:`mmkd.datasets.transforms.color`.

    Args:
        frames: uint8 RGB ``(F, 3, H, W)``.
        turn: Shift as a part of the colour circle ``(F,)``, in [-0.5, 0.5].
    """
    rgb = frames.float()
    value, largest = rgb.max(1)
    chroma = value - rgb.amin(1)
    # (G - B), (B - R), (R - G): the one of the two channels that are not the largest.
    differences = rgb.roll(-1, 1) - rgb.roll(-2, 1)
    difference = differences.gather(1, largest[:, None])[:, 0]
    sextant = difference / chroma.clamp(min=1) + 2 * largest
    sextant += 6 * turn.view(-1, 1, 1)
    channels = [_channel(start, sextant, value, chroma) for start in (5, 3, 1)]
    return torch.stack(channels, 1).round_().clamp_(0, 255).byte()


def _channel(start: int, sextant: Tensor, value: Tensor, chroma: Tensor) -> Tensor:
    """Return a channel of a colour; ``start`` is 5 for red, 3 for green, 1 for blue.

    Formula: https://en.wikipedia.org/wiki/HSL_and_HSV#HSV_to_RGB_alternative
    """
    place = (sextant + start).remainder_(6)
    return value - chroma * torch.minimum(place, 4 - place).clamp_(0, 1)
