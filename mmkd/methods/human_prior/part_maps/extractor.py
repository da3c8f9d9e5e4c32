"""Extract the part maps of one video: read it, parse its frames, write its shard."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.registry import init_default_scope
from torch import Tensor
from torch.nn import functional

from mmkd.config_files import read_config
from mmkd.datasets.shards import write_shard
from mmkd.datasets.video_readers import FrameReader, open_video
from mmkd.errors import UserError, printable
from mmkd.files import open_regular
from mmkd.methods.human_prior.part_maps.cache import (
    VideoFacts,
    facts_and_arrays,
    map_path,
)
from mmkd.methods.human_prior.part_maps.identity import CacheIdentity, Form
from mmkd.registry import MODELS


@dataclass(frozen=True)
class ExtractionOptions:
    """What to extract, with what, to where.

    Attributes:
        config: Config file of the parser.
        out: Folder of the cache.
        prefix: Folder of the videos.
        form: ``'labels'`` or ``'probabilities'``.
        size: Cells of a side of a map.
        stride: One frame in so many gets a map.
        batch_size: Frames that the parser sees at a time.
        workers: Processes.
        device: Where the parser runs.
    """

    config: Path
    out: Path
    prefix: Path
    form: Form = 'labels'
    size: int = 56
    stride: int = 1
    batch_size: int = 16
    workers: int = 1
    device: str = 'cpu'


@dataclass(frozen=True)
class VideoCost:
    """What the maps of one video, or of several, took.

    Attributes:
        videos: Number of videos.
        maps: Number of maps.
        bytes: Size of the files.
        seconds: Time, decoding and writing included.
        empty: Maps that are all background.
    """

    videos: int = 0
    maps: int = 0
    bytes: int = 0
    seconds: float = 0.0
    empty: int = 0

    def __add__(self, other: 'VideoCost') -> 'VideoCost':
        pairs = zip(astuple(self), astuple(other), strict=True)
        return VideoCost(*(one + another for one, another in pairs))


def build_parser(config: Path, device: str = 'cpu') -> Any:
    """Build the ``HumanParser`` of a config file with ``parser = dict(type=...)``.

    Raises:
        UserError: If the file, the parser or the device cannot be had.
    """
    cfg = read_config(config)
    if not isinstance(cfg.get('parser'), dict):
        raise UserError(
            f'{config} has no parser', "Write parser = dict(type='mmkd.BodyPix', ...)."
        )
    init_default_scope('mmaction')
    try:
        parser = MODELS.build(cfg.parser)
    except (KeyError, TypeError) as error:
        raise UserError(f'{config}: {error.args[0]}', 'Correct parser.') from error
    for name in ('parse', 'identity', 'label_set'):
        if not hasattr(parser, name):
            raise UserError(f'{config}: {type(parser).__name__} is no human parser')
    try:
        return parser.to(torch.device(device))
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f'device {device!r}: {reason}', 'Give another one.') from error


@dataclass(frozen=True)
class Extractor:
    """Writes the maps of videos into a cache, each file whole or not at all.

    Attributes:
        options: What to extract, to where.
        parser: A ``HumanParser`` on its device.
        identity: The cache.
    """

    options: ExtractionOptions
    parser: Any
    identity: CacheIdentity

    def extract(self, name: str) -> VideoCost:
        """Extract and write the maps of the video that the list names so.

        Raises:
            UserError: If it cannot be decoded, the parser fails on it, or the file
                cannot be written.
        """
        start = time.perf_counter()
        path = self.options.prefix / name
        facts, reader = open_source(path, name)
        wanted = stored_frames(facts.frames, self.identity.stride)
        maps, shares = [], []
        for numbers, frames in _batches(path, reader, wanted, self.options.batch_size):
            batch = torch.from_numpy(frames).to(self.options.device)
            batch = batch.permute(0, 3, 1, 2)
            with torch.inference_mode():
                found = self.parser.parse(batch, name, numbers.tolist())
            self._check(found, len(numbers))
            stored, share = to_stored(found, self.identity)
            maps.append(stored)
            shares.append(share)
        content = facts_and_arrays(
            self.identity, facts, wanted, np.concatenate(shares), np.concatenate(maps)
        )
        size = write_shard(map_path(self.options.out, name), *content)
        empty = int((content[1]['person'] == 0).sum())
        seconds = time.perf_counter() - start
        return VideoCost(1, len(wanted), size, seconds, empty)

    def _check(self, found: Tensor, frames: int) -> None:
        parts = len(self.identity.label_set)
        if found.ndim != 4 or tuple(found.shape[:2]) != (frames, parts):
            raise UserError(
                f'the parser returned {tuple(found.shape)} for {frames} frames and '
                f'{parts} labels',
                'It must return (F, K, h, w).',
            )


def open_source(path: Path, name: str) -> tuple[VideoFacts, FrameReader]:
    """Hash a video, ``name`` in its list, and open it the way training reads it.

    Raises:
        UserError: If it cannot be read or has no frame.
    """
    try:
        with open_regular(path) as file:  # not a pipe, which would be waited for
            data = file.read()
        reader = open_video(str(path))
        height, width, _ = reader.get_batch([0]).asnumpy()[0].shape
        frames, fps = len(reader), float(reader.get_avg_fps())
    except Exception as error:
        # Decoders raise several unrelated classes, and pass on those of others.
        raise _undecodable(path, error) from error
    facts = VideoFacts(
        name=name,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        frames=frames,
        fps=fps if np.isfinite(fps) else 0.0,
        height=height,
        width=width,
    )
    return facts, reader


def _batches(
    path: Path, reader: FrameReader, wanted: np.ndarray, batch_size: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield frame numbers ``(B,)``, rising, and frames ``(B, H, W, 3)``, uint8 RGB."""
    frames = reader.each(wanted)
    for numbers in np.array_split(wanted, -(-len(wanted) // batch_size)):
        try:
            batch = np.stack([next(frames) for _ in numbers])
        except Exception as error:
            raise _undecodable(path, error) from error
        yield numbers, batch


def _undecodable(path: Path, error: Exception) -> UserError:
    reason = str(error).strip().splitlines() or [type(error).__name__]
    what = f'{printable(path)} cannot be decoded: {printable(reason[-1][:200])}'
    return UserError(what)


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


def resize_probabilities(probabilities: Tensor, size: int) -> Tensor:
    """Bring part probabilities ``(F, K, h, w)`` to ``(F, K, s, s)``.

    Means over areas where the map is the finer one, else bilinear: both keep the sum
    over the parts.
    """
    if probabilities.shape[-2:] == (size, size):
        return probabilities
    if min(probabilities.shape[-2:]) >= size:
        return functional.interpolate(probabilities, (size, size), mode='area')
    return functional.interpolate(
        probabilities, (size, size), mode='bilinear', antialias=True
    )


def quantised(probabilities: Tensor, form: Form) -> Tensor:
    """Return uint8 labels ``(F, s, s)``, or ``(F, K, s, s)`` in steps of 1/255."""
    if form == 'labels':
        return probabilities.argmax(dim=1).byte()
    return (probabilities * 255).round().clamp(0, 255).byte()


def to_stored(
    probabilities: Tensor, identity: CacheIdentity
) -> tuple[np.ndarray, np.ndarray]:
    """Bring the output ``(F, K, h, w)`` of a parser into the form of a cache.

    Returns:
        Maps, uint8 ``(F, s, s)`` or ``(F, K, s, s)``; and the share of each frame that
        is not background, ``(F,)``: cells in label maps, else probability.
    """
    resized = resize_probabilities(probabilities.float(), identity.size)
    maps, background = quantised(resized, identity.form), identity.label_set.background
    if identity.form == 'labels':
        share = (maps != background).float().mean((1, 2))
    else:
        share = 1 - resized[:, background].mean((1, 2))
    return maps.cpu().numpy(), share.cpu().numpy()
