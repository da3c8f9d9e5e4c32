"""Part maps on disk: a shard for each video, found by the path of its file."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from math import inf
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from mmkd.datasets.shards import Shard, damaged
from mmkd.errors import UserError
from mmkd.methods.human_prior.part_maps.identity import CacheIdentity, read_identity

FULL_SHARE = 65535
_MOST = {'bytes': 1 << 62, 'frames': 1 << 24, 'height': 1 << 16, 'width': 1 << 16}


@dataclass(frozen=True)
class VideoFacts:
    """The video that a file of maps belongs to.

    Attributes:
        name: Path in the list that was extracted.
        bytes: Size of the file.
        sha256: Hash of the file.
        frames: Frames that decord counts.
        fps: Frames a second.
        height: Pixels of a decoded frame.
        width: Pixels of a decoded frame.

    Raises:
        ValueError: If a value cannot be.
    """

    name: str
    bytes: int
    sha256: str
    frames: int
    fps: float
    height: int
    width: int

    def __post_init__(self) -> None:
        for name, most in _MOST.items():
            value = getattr(self, name)
            if type(value) is not int or not (name != 'bytes') <= value <= most:
                raise ValueError(f'{name} {value}')
        if type(self.fps) not in (int, float) or not 0 <= self.fps < inf:
            raise ValueError(f'fps {self.fps}')
        if not isinstance(self.name, str) or not isinstance(self.sha256, str):
            raise ValueError('a name that is no text')


def facts_and_arrays(
    identity: CacheIdentity,
    video: VideoFacts,
    frames: Iterable[int],
    person: Iterable[float],
    maps: np.ndarray,
) -> tuple[dict[str, Any], Mapping[str, np.ndarray]]:
    """Return what :func:`~mmkd.datasets.shards.write_shard` writes of a video.

    Args:
        identity: Of the cache.
        video: What is known of it.
        frames: Frames that have a map, rising, S of them.
        person: Share of each that is not background, 0 to 1.
        maps: uint8 ``(S, s, s)`` or ``(S, K, s, s)``.
    """
    shares = np.clip(np.fromiter(person, float), 0, 1) * FULL_SHARE
    return {'cache': identity.as_json(), 'video': asdict(video)}, {
        'frames': np.fromiter(frames, np.uint32),
        'person': shares.round().astype(np.uint16),
        'maps': maps,
    }


@dataclass(frozen=True)
class PartMapFile:
    """The part maps of one video; :meth:`open` reads the frames, :meth:`read` maps.

    Attributes:
        shard: The file.
        identity: The cache that it was made for.
        video: The video that it belongs to.
        frames: Numbers of the frames that have a map, rising, int64 ``(S,)``.
    """

    shard: Shard
    identity: CacheIdentity
    video: VideoFacts
    frames: np.ndarray

    @classmethod
    def open(cls, path: Path) -> 'PartMapFile':
        """Read all but the maps, whatever the file holds.

        Raises:
            UserError: If it cannot be read, or is damaged or something else.
        """
        shard = Shard.open(path)
        identity = CacheIdentity.from_json(shard.facts.get('cache'), path)
        try:
            video = VideoFacts(**shard.facts['video'])
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(path) from error
        count = shard.shape('maps')[0]
        frames = {'frames': (count,), 'person': (count,)}
        shapes = {**frames, 'maps': (count, *identity.map_shape)}
        if count > video.frames or any(shard.shape(n) != s for n, s in shapes.items()):
            raise damaged(path)
        numbers = shard.rows('frames').astype(np.int64)
        rising = (np.diff(numbers) > 0).all()
        if not rising or numbers[0] < 0 or numbers[-1] >= video.frames:
            raise damaged(path)
        return cls(shard, identity, video, numbers)

    @cached_property
    def person_share(self) -> np.ndarray:
        """Share of each of these frames that is not background, 0 to 1, ``(S,)``."""
        return self.shard.rows('person') / FULL_SHARE

    def nearest(self, frame_inds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find for frames ``(F,)`` the nearest ones that have maps, the earlier of two.

        Returns:
            Their positions in ``frames``, ``(F,)``, and the distances, ``(F,)``.
        """
        after = np.searchsorted(self.frames, frame_inds).clip(0, len(self.frames) - 1)
        before = (after - 1).clip(0)
        to_after = np.abs(self.frames[after] - frame_inds)
        to_before = np.abs(self.frames[before] - frame_inds)
        earlier = to_before <= to_after
        return np.where(earlier, before, after), np.minimum(to_before, to_after)

    def read(self, positions: Iterable[int]) -> np.ndarray:
        """Read maps by their positions in ``frames``.

        Returns:
            uint8 ``(F, s, s)`` labels or ``(F, K, s, s)`` probabilities in steps of
            1/255.

        Raises:
            UserError: If the file is damaged.
        """
        maps = self.shard.rows('maps', positions)
        labels = self.identity.form == 'labels'
        beyond = labels and maps.max(initial=0) >= len(self.identity.label_set)
        if maps.dtype != np.uint8 or beyond:
            raise damaged(self.shard.path)
        return maps


def map_path(folder: Path, name: str) -> Path:
    """Return where a cache has the maps of the video that a list names so.

    Raises:
        UserError: If the name leads out of the folder.
    """
    pure = PurePath(name)
    if pure.is_absolute() or '..' in pure.parts:
        raise UserError(f'{name} lies outside of the folder of videos', 'Correct it.')
    return folder / 'maps' / f'{pure}.npz'


class PartMapCache:
    """A folder of part maps that ``tools/teacher/extract.py`` wrote.

    The maps of a video are looked for by the path of its file: the longest end of it
    that has maps counts, so that the folder of videos may move.

    A file is told from another one by its size and its number of frames, each time. Its
    hash would take longer than the training step; ``extract.py --verify`` compares it.

    Args:
        folder: The folder, with ``cache.json``.

    Attributes:
        identity: Teacher, labels and form of all its maps.

    Raises:
        UserError: If it is no cache.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.identity = read_identity(self.folder)

    def find(self, video: str) -> Path | None:
        """Return the file of maps of a video, or None if it has none."""
        parts = PurePath(os.path.normpath(video)).parts
        for first in range(len(parts)):
            end = PurePath(*parts[first:])
            if end.is_absolute() or '..' in end.parts:
                continue
            path = map_path(self.folder, str(end))
            if path.is_file():
                return path
        return None

    def open(self, video: str, total_frames: int | None = None) -> PartMapFile:
        """Open the maps of a video file, whose size is compared if it is there.

        So are its frames, as decord counts them, if their number is given.

        Raises:
            UserError: If there are none, or they are of another teacher or file.
        """
        path = self.find(video)
        if path is None:
            raise UserError(
                f'{self.folder} has no part maps of {video}',
                'Extract the list that names it with tools/teacher/extract.py.',
            )
        maps = PartMapFile.open(path)
        self.identity.require(maps.identity, path, 'Delete it and extract it again.')
        check_video(maps, video, total_frames)
        return maps


def check_video(maps: PartMapFile, video: str, total_frames: int | None) -> None:
    """Refuse maps of another file, by its size and number of frames."""
    try:
        size = os.stat(video).st_size
    except OSError:  # packed or remote videos have no file here
        size = maps.video.bytes
    for what, value, known in (
        ('bytes', size, maps.video.bytes),
        ('frames', total_frames, maps.video.frames),
    ):
        if value is not None and value != known:
            raise UserError(
                f'{maps.shard.path} is of another file than {video} ({known} {what}, '
                f'not {value})',
                'Extract its maps again with tools/teacher/extract.py.',
            )
