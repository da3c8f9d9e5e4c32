"""Draw part maps over the frames that they belong to."""

import colorsys
from collections.abc import Sequence

import cv2
import numpy as np

from mmkd.part_labels import LabelSet

OUTSIDE = 255
# Found by search: two of up to 28 colours differ by at least 64 in some channel.
_HUE_STEP = 0.37
_TONES = ((1.0, 1.0), (0.55, 1.0), (1.0, 0.65))  # saturation, value
_INK = (30, 30, 30)
_PAPER = 255
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LINE = 16  # pixels


def part_colours(label_set: LabelSet) -> np.ndarray:
    """Return a colour for each part, RGB uint8 ``(K, 3)``; black: the background.

    A label keeps its colour whatever else is drawn.
    """
    colours = [
        colorsys.hsv_to_rgb(number * _HUE_STEP % 1, *_TONES[number % len(_TONES)])
        for number in range(len(label_set))
    ]
    colours[label_set.background] = (0.0, 0.0, 0.0)
    return (255 * np.array(colours)).round().astype(np.uint8)


def to_labels(maps: np.ndarray, label_set: LabelSet) -> np.ndarray:
    """Return label maps ``(..., s, s)`` of labels or probabilities ``(..., K, s, s)``.

    They are uint8, as ``AlignPartMaps`` writes them: five axes are probabilities.
    """
    if maps.ndim < 5:
        return maps
    assert maps.shape[-3] == len(label_set)
    labels = maps.argmax(-3).astype(np.uint8)
    return np.where(maps.any(-3), labels, np.uint8(OUTSIDE))


def overlay(
    frame: np.ndarray, labels: np.ndarray, label_set: LabelSet, strength: float = 0.55
) -> np.ndarray:
    """Tint a frame by its parts; the background stays as it is.

    Args:
        frame: RGB uint8 ``(H, W, 3)``.
        labels: uint8 ``(s, s)``; 255, outside of the frame, is drawn white.
        label_set: Their labels.
        strength: Share of the tint, 0 to 1.
    """
    height, width = frame.shape[:2]
    large = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    table = np.full((OUTSIDE + 1, 3), 255, np.uint8)
    table[: len(label_set)] = part_colours(label_set)
    drawn = (large != label_set.background)[..., None]
    mixed = (1 - strength) * frame + strength * table[large]
    return np.where(drawn, mixed.round(), frame).astype(np.uint8)


def legend(label_set: LabelSet, width: int, present: Sequence[int]) -> np.ndarray:
    """Draw the names of ``present`` parts beside their colours, ``(h, width, 3)``."""
    colours = part_colours(label_set)
    texts = {part: label_set.labels[part] for part in present}
    longest = max((len(text) for text in texts.values()), default=1)
    columns = max(1, width // (7 * longest + 26))
    rows = -(-max(1, len(texts)) // columns)
    picture = np.full((rows * _LINE + 4, width, 3), _PAPER, np.uint8)
    for index, (part, text) in enumerate(texts.items()):
        x = index % columns * (width // columns) + 4
        y = index // columns * _LINE + 3
        picture[y : y + 10, x : x + 10] = colours[part]
        write(picture, text, x + 15, y + 9)
    return picture


def write(picture: np.ndarray, text: str, x: int, y: int) -> None:
    """Write small text into a picture; ``(x, y)`` is its lower left corner."""
    cv2.putText(picture, text, (x, y), _FONT, 0.36, _INK, 1, cv2.LINE_AA)


def titled_row(frames: Sequence[np.ndarray], title: str, gap: int = 2) -> np.ndarray:
    """Put frames ``(H, W, 3)`` beside one another, below a line of text."""
    height = frames[0].shape[0]
    space = np.full((height, gap, 3), _PAPER, np.uint8)
    parts = [part for frame in frames for part in (frame, space)]
    row = np.concatenate(parts[:-1], axis=1)
    head = np.full((_LINE, row.shape[1], 3), _PAPER, np.uint8)
    write(head, title, 2, 12)
    return np.concatenate([head, row])


def stack(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Put pictures of any width below one another, on paper."""
    width = max(picture.shape[1] for picture in pictures)
    wide = []
    for picture in pictures:
        missing = ((0, 0), (0, width - picture.shape[1]), (0, 0))
        wide.append(np.pad(picture, missing, constant_values=_PAPER))
    return np.concatenate(wide)
