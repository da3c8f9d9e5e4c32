"""Colour operations on uint8 RGB, by the definitions of torchvision.

The recorded pixels are those of OpenCV in a worker, which takes about 15 us per
operation on an image of 112 x 112 (hue: 30 us) and lets other threads run meanwhile.
The tensor form repeats its arithmetic, every rounding of it. Brightness, contrast and
grey are equal everywhere; saturation and hue where OpenCV multiplies and adds in one
rounding, which it does on processors with FMA (AVX2, ARM64) but for columns behind the
last multiple of 16 of the width. Elsewhere fewer than one of 100,000 values differ, by
one level (counted: up to 8 of a million).

As in torchvision, every result is clipped to 0..255 and, but for hue, cut off to a
whole number. Source: https://docs.pytorch.org/vision/stable/transforms.html

Images are uint8 RGB ``(H, W, 3)``, frames ``(F, 3, H, W)``.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from mmkd.datasets.transforms.augmentation import Operation

_LEVELS = np.arange(256, dtype=np.float32)
# Rounding after subtracting nearly a half cuts off, and whole numbers stay.
_CUT_OFF = -0.498
# ITU-R 601-2 in 1 / 32768, as OpenCV has it, and in 1 / 65536, as PIL has it. All sums
# are whole numbers of at most 2 ** 24, hence exact in single precision.
_LUMA = (9798, 19235, 3735)
_LUMA_OF_PIL = (19595, 38470, 7471)
# The last column rounds to the nearest level.
_ROUNDED = np.array([[*_LUMA_OF_PIL, 32768]], np.float32)


def _luma(frames: Tensor, weights: Sequence[int]) -> Tensor:
    """Return grey values, rounded to the nearest, float32 ``(F, 1, H, W)``."""
    red, green, blue = frames.float().split(1, dim=1)
    weighed = red * weights[0] + green * weights[1] + blue * weights[2]
    total = sum(weights)
    return weighed.add_(total // 2).div_(total).floor_()


def _per_frame(values: Tensor, frames: Tensor) -> Tensor:
    """Return float32 values ``(F, 1, 1, 1)`` on the device of the frames."""
    return values.float().to(frames.device, non_blocking=True).view(-1, 1, 1, 1)


def _fused(a: Tensor, b: Tensor, c: Tensor | float) -> Tensor:
    """Return float32 ``a * b + c`` with one rounding: the product is exact before."""
    return (a.double() * b.double() + c).float()


def _blend_with_level(image: np.ndarray, level: int, factor: float) -> np.ndarray:
    table = level + np.float32(factor) * (_LEVELS - level)
    return cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8))


def _blend_with_levels(
    frames: Tensor, levels: Tensor | float, values: Tensor
) -> Tensor:
    # uint8 - float promotes to float.
    mixed = (frames - levels).mul_(_per_frame(values, frames)).add_(levels)
    return mixed.clamp_(0, 255).byte()


def adjust_brightness(image: np.ndarray, factor: float) -> np.ndarray:
    """Blend with black: a factor of 0 is black, 1 the image itself."""
    return _blend_with_level(image, 0, factor)


def adjust_contrast(image: np.ndarray, factor: float) -> np.ndarray:
    """Blend with the mean of the grey image (rounded, as with PIL): 0 is flat grey."""
    mean = cv2.mean(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))[0]
    return _blend_with_level(image, int(mean + 0.5), factor)


def _contrast_of_frames(frames: Tensor, factors: Tensor) -> Tensor:
    total = _luma(frames, _LUMA).sum((1, 2, 3), keepdim=True, dtype=torch.float64)
    # Not divided by the number of pixels: OpenCV's mean rounds halves like this.
    mean = total * (1.0 / frames[0, 0].numel())
    return _blend_with_levels(frames, (mean + 0.5).floor_().float(), factors)


def adjust_saturation(image: np.ndarray, factor: float) -> np.ndarray:
    """Blend each pixel with its grey value: a factor of 0 is grey."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    grey = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(image, factor, grey, 1 - factor, _CUT_OFF)


def _saturation_of_frames(frames: Tensor, factors: Tensor) -> Tensor:
    rest = _per_frame(1 - factors, frames)
    grey = _fused(_luma(frames, _LUMA), rest, float(np.float32(_CUT_OFF)))
    mixed = _fused(frames, _per_frame(factors, frames), grey)
    return mixed.round_().clamp_(0, 255).byte()


def adjust_hue(image: np.ndarray, turn: float) -> np.ndarray:
    """Shift the hue by a part of the colour circle, in [-0.5, 0.5].

    Computed in single precision and rounded: 8-bit hue, as PIL and OpenCV store it,
    would add errors of up to 15 levels and saves no time.
    """
    hsv: np.ndarray = cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2HSV)
    # OpenCV turns back hues past 360 degrees, but not those under 0.
    hsv[..., 0] += 360 * (turn % 1)
    return cv2.convertScaleAbs(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


# For each sixth of the colour circle, where red, green and blue are in
# (value, lowest, falling, rising).
_SIXTHS = torch.tensor(
    [[0, 3, 1], [2, 0, 1], [1, 0, 3], [1, 2, 0], [3, 1, 0], [0, 1, 2]]
)


def _hue_of_frames(frames: Tensor, turns: Tensor) -> Tensor:
    # OpenCV's formulas:
    # https://docs.opencv.org/4.x/de/d25/imgproc_color_conversions.html
    red, green, blue = frames.float().split(1, dim=1)
    value = torch.maximum(torch.maximum(red, green), blue)
    chroma = value - torch.minimum(torch.minimum(red, green), blue)
    tiny = torch.finfo(torch.float32).eps
    is_red, is_green = red == value, green == value
    difference = torch.where(is_green, blue - red, red - green)
    difference = torch.where(is_red, green - blue, difference)
    start = torch.where(is_green, 120.0, 240.0)
    start = torch.where(is_red, torch.where(green < blue, 360.0, 0.0), start)
    # torch would multiply a number by the reciprocal, which rounds twice.
    hue = _fused(difference, torch.full_like(chroma, 60) / (chroma + tiny), start)
    saturation = chroma / (value + tiny)

    hue = (hue + _per_frame(360 * (turns % 1), frames)) * float(np.float32(6 / 360))
    sixth = hue.floor()
    into = hue - sixth
    falling = value * _fused(-saturation, into, 1.0)
    rising = value * _fused(-saturation, 1 - into, 1.0)
    found = torch.cat([value, value * (1 - saturation), falling, rising], 1)
    order = _SIXTHS.to(frames.device)[sixth[:, 0].long() % 6].permute(0, 3, 1, 2)
    return found.gather(1, order).round_().clamp_(0, 255).byte()


def to_grayscale(image: np.ndarray) -> np.ndarray:
    """Return the luma (ITU-R 601-2) of an image in three equal channels.

    Equal, level by level, to PIL's conversion to ``L``; OpenCV's own differs by one
    level in some pixels.
    """
    grey = cv2.transform(image.astype(np.float32), _ROUNDED).astype(np.uint32) >> 16
    return cv2.cvtColor(grey.astype(np.uint8), cv2.COLOR_GRAY2RGB)


BRIGHTNESS = Operation(
    'brightness',
    adjust_brightness,
    lambda frames, factors: _blend_with_levels(frames, 0.0, factors),
)
CONTRAST = Operation('contrast', adjust_contrast, _contrast_of_frames)
SATURATION = Operation('saturation', adjust_saturation, _saturation_of_frames)
HUE = Operation('hue', adjust_hue, _hue_of_frames)
GRAYSCALE = Operation(
    'grayscale',
    lambda image, _: to_grayscale(image),
    lambda frames, _: _luma(frames, _LUMA_OF_PIL).byte().expand_as(frames),
)
