"""Show clips in the page: small moving pictures, and the gallery of nearest clips."""

import base64
import io
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from markupsafe import Markup
from PIL import Image

from mmkd.commands.report.features import Looked, Videos, lacking
from mmkd.commands.report.page import Notes, pieces
from mmkd.datasets.video_readers.frame_reader import open_video
from mmkd.models.metrics import nearest

_QUERIES, _NEIGHBOURS = 6, 5
WIDTH = 112  # pixels of a frame
_FRAMES = 8
_MILLISECONDS = 150  # that each is shown


@lru_cache(maxsize=1024)
def clip_frames(path: Path) -> np.ndarray:
    """Return eight small frames spread evenly over a video, which may be shorter.

    Returns:
        RGB uint8 ``(8, h, 112, 3)``.

    Raises:
        RuntimeError: If the video cannot be read.
    """
    video = open_video(str(path))
    chosen = np.linspace(0, len(video) - 1, _FRAMES).round().astype(int)
    frames = video.get_batch(chosen).asnumpy()
    return np.stack([small(frame, cv2.INTER_AREA) for frame in frames])


def small(frame: np.ndarray, interpolation: int) -> np.ndarray:
    """Return a frame ``(H, W, 3)`` at the width of the previews."""
    height = max(1, round(WIDTH * frame.shape[0] / frame.shape[1]))
    return cv2.resize(frame, (WIDTH, height), interpolation=interpolation)


def webp(frames: Iterable[np.ndarray], quality: int = 55) -> str:
    """Return a WebP file as data URI: animated if there are several frames.

    Frames are RGB uint8 ``(h, w, 3)``; the quality goes from 0 to 100.
    """
    first, *rest = (Image.fromarray(np.ascontiguousarray(frame)) for frame in frames)
    file = io.BytesIO()
    options: dict[str, Any] = {'quality': quality, 'method': 4}
    if rest:
        options |= {'save_all': True, 'append_images': rest, 'loop': 0}
        options |= {'duration': _MILLISECONDS}
    first.save(file, 'WEBP', **options)
    return 'data:image/webp;base64,' + base64.b64encode(file.getvalue()).decode()


def moving(path: Path, alt: str) -> dict[str, Any]:
    """Return the moving preview of a video, and a still one for who wants no motion.

    Raises:
        RuntimeError: If the video cannot be read.
    """
    frames = clip_frames(path)
    middle = frames[len(frames) // 2]
    return {**_sized(middle, alt), 'uri': webp(frames), 'frame': webp([middle])}


def still(picture: np.ndarray, alt: str) -> dict[str, Any]:
    """Return a picture, RGB uint8 ``(h, w, 3)``, that does not move."""
    return {**_sized(picture, alt), 'uri': webp([picture], quality=75)}


def _sized(picture: np.ndarray, alt: str) -> dict[str, Any]:
    height, width = picture.shape[:2]
    return {'alt': alt, 'width': width, 'height': height}


def gallery_section(looked: Sequence[Looked], notes: Notes) -> Markup:
    """Return the retrieval gallery of the last network that is not fine-tuned."""
    found = [one for one in looked if one.train is not None]
    trained = [one for one in found if one.network.kind != 'untrained']
    if not trained:
        return lacking('retrieval gallery', notes)
    kinds = [one for one in trained if one.network.kind == 'pre-trained'] or trained
    shown = kinds[-1]
    queries = choose_queries(shown.test.features.labels, _QUERIES)
    names = shown.test.names
    body = pieces.paragraph(
        'The first test video of six classes, whatever is found for it, and its five '
        'nearest training videos by the cosine of the features. ✓ and a full green '
        'frame: the same class; ✗ and a dashed red frame: another one.'
    )
    body += pieces.heading(shown.network.title) + _gallery(shown, names, queries)
    for one in found:
        if one.network.kind == 'untrained':
            title = f'The same queries, {one.network.title} network'
            body += pieces.details(title, _gallery(one, names, queries))
    return body


def choose_queries(labels: torch.Tensor, count: int) -> list[int]:
    """Return the first video of as many classes, spread over the classes ``(V,)``.

    Not chosen by what is found for them; fewer where there are fewer classes.
    """
    classes = labels.unique().tolist()
    spread = torch.linspace(0, len(classes) - 1, min(count, len(classes))).round()
    chosen = [classes[int(number)] for number in spread]
    return [int((labels == name).nonzero()[0]) for name in chosen]


def _gallery(one: Looked, names: Sequence[str], queries: Sequence[int]) -> Markup:
    """Return rows of a query and its nearest training videos, right and wrong marked.

    ``queries`` are positions in the test list.
    """
    test, train = one.test, one.train
    assert train is not None
    recall = test.recall(train, 1, 5)
    vectors = test.features.vectors[list(queries)]
    similar, neighbours = nearest(vectors, train.features.vectors, _NEIGHBOURS)
    rows = []
    for position, query in enumerate(queries):
        truth = int(test.features.labels[query])
        cells = [_cell(test, query, f'query: {names[truth]}', 'query')]
        found = neighbours[position].tolist()
        for value, other in zip(similar[position], found, strict=True):
            label = int(train.features.labels[other])
            verdict, sign = ('right', '✓') if label == truth else ('wrong', '✗')
            text, below = f'{sign} {names[label]}', f'cosine {value:.3f}'
            cells.append(_cell(train, other, text, verdict, below))
        rows.append(cells)
    share = pieces.paragraph(
        f'Of all {len(test.files)} test videos, the nearest training video is right '
        f'for {recall["R@1"]:.1f} %, one of the nearest five for {recall["R@5"]:.1f} %.'
    )
    return share + pieces.clips(rows)


def _cell(
    videos: Videos, position: int, text: str, kind: str, below: str = ''
) -> dict[str, Any]:
    path = videos.files[position]
    try:
        picture = moving(path, f'{text} ({path.name})')
    except RuntimeError:
        picture = None
    shown = {'kind': kind, 'text': text, 'below': below}
    return {**shown, 'file': path.name, 'picture': picture}
