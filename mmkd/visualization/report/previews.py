"""Small moving pictures of clips, within the page. Ours."""

import base64
import io
from collections.abc import Iterable
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from mmkd.datasets.video_readers.opening import open_video

_WIDTH = 112  # pixels
_FRAMES = 8
_MILLISECONDS = 150  # that each is shown
_QUALITY = 55


@lru_cache(maxsize=1024)
def clip_frames(path: Path, width: int = _WIDTH, count: int = _FRAMES) -> np.ndarray:
    """Return small frames spread evenly over a video, RGB uint8 ``(count, h, w, 3)``.

    Args:
        path: Video file.
        width: Of the frames. Defaults to 112.
        count: Number of frames. Defaults to 8; a shorter video repeats some.

    Raises:
        RuntimeError: If the video cannot be read.
    """
    video = open_video(str(path))
    places = np.linspace(0, len(video) - 1, count).round().astype(int)
    frames = video.get_batch(places).asnumpy()
    height = max(1, round(width * frames.shape[1] / frames.shape[2]))
    size, area = (width, height), cv2.INTER_AREA
    return np.stack([cv2.resize(f, size, interpolation=area) for f in frames])


def webp(frames: Iterable[np.ndarray], quality: int = _QUALITY) -> str:
    """Return a WebP file as data URI: animated if there are several frames.

    Args:
        frames: RGB uint8 ``(h, w, 3)`` each.
        quality: 0 to 100. Defaults to 55.
    """
    first, *rest = (Image.fromarray(np.ascontiguousarray(frame)) for frame in frames)
    file = io.BytesIO()
    options: dict[str, Any] = {'quality': quality, 'method': 4}
    if rest:
        options |= {'save_all': True, 'append_images': rest, 'loop': 0}
        options |= {'duration': _MILLISECONDS}
    first.save(file, 'WEBP', **options)
    return 'data:image/webp;base64,' + base64.b64encode(file.getvalue()).decode()


def moving(frames: np.ndarray, alt: str) -> str:
    """Return an animated picture; a still one for readers who want no motion.

    Args:
        frames: RGB uint8 ``(F, h, w, 3)``.
        alt: What it shows.
    """
    height, width = frames.shape[1:3]
    still = webp([frames[len(frames) // 2]])
    return (
        f'<picture><source media="(prefers-reduced-motion: reduce)" srcset="{still}">'
        f'<img src="{webp(frames)}" alt="{escape(alt)}" width="{width}" '
        f'height="{height}"></picture>'
    )


def still(picture: np.ndarray, alt: str, quality: int = 75) -> str:
    """Return a picture that does not move.

    Args:
        picture: RGB uint8 ``(h, w, 3)``.
        alt: What it shows.
        quality: 0 to 100. Defaults to 75.
    """
    height, width = picture.shape[:2]
    return (
        f'<img src="{webp([picture], quality)}" alt="{escape(alt)}" width="{width}" '
        f'height="{height}">'
    )
