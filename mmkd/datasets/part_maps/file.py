"""Read the part maps of one video."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mmkd.datasets.part_maps.encoding import (
    FULL_SHARE,
    INDEX_ROW,
    PREFIX,
    VideoFacts,
    broken,
    decode_header,
    decode_index,
    decode_map,
    decode_prefix,
)
from mmkd.datasets.part_maps.identity import CacheIdentity
from mmkd.errors import UserError

SUFFIX = '.parts'


@dataclass(frozen=True)
class PartMapFile:
    """The part maps of one video; :meth:`open` reads the index, :meth:`read` maps.

    Attributes:
        path: The file.
        identity: The cache that it was made for.
        video: The video that it belongs to.
        index: One row a map (``encoding.INDEX_ROW``), ``(S,)``.
        start: Bytes before the first map.
    """

    path: Path
    identity: CacheIdentity
    video: VideoFacts
    index: np.ndarray
    start: int

    @classmethod
    def open(cls, path: Path) -> 'PartMapFile':
        """Read header and index, whatever the file holds.

        Raises:
            UserError: If it cannot be read, or is damaged or something else.
        """
        try:
            with path.open('rb') as file:
                size = path.stat().st_size
                header, count, crc = decode_prefix(file.read(PREFIX.size), path)
                start = PREFIX.size + header + count * INDEX_ROW.itemsize
                if start > size:
                    raise broken(path)
                data = file.read(start - PREFIX.size)
        except OSError as error:
            raise UserError(f'{path} cannot be read: {error.strerror}') from error
        if len(data) != start - PREFIX.size or zlib.crc32(data) != crc:
            raise broken(path)
        identity, video = decode_header(data[:header], path)
        index = decode_index(data[header:], video.frames, path)
        if start + int(index['length'].sum(dtype=np.int64)) != size:
            raise broken(path)
        return cls(path, identity, video, index, start)

    @cached_property
    def frames(self) -> np.ndarray:
        """Numbers of the frames that have a map, rising, ``(S,)``."""
        return self.index['frame'].astype(np.int64)

    @cached_property
    def person_share(self) -> np.ndarray:
        """Share of each of these frames that is not background, 0 to 1, ``(S,)``."""
        return self.index['person'] / FULL_SHARE

    def nearest(self, frame_inds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find for each frame the nearest one that has a map; the earlier of two.

        Args:
            frame_inds: Frame numbers, ``(F,)``.

        Returns:
            Their places in the index, ``(F,)``, and the distances in frames, ``(F,)``.
        """
        after = np.searchsorted(self.frames, frame_inds).clip(0, len(self.frames) - 1)
        before = (after - 1).clip(0)
        to_after = np.abs(self.frames[after] - frame_inds)
        to_before = np.abs(self.frames[before] - frame_inds)
        earlier = to_before <= to_after
        return np.where(earlier, before, after), np.minimum(to_before, to_after)

    def read(self, places: Iterable[int]) -> np.ndarray:
        """Read maps by their places in the index.

        Returns:
            uint8 ``(F, s, s)`` labels or ``(F, K, s, s)`` probabilities in steps of
            1/255.

        Raises:
            UserError: If the file is damaged.
        """
        wanted = np.asarray(list(places), np.int64)
        distinct, where = np.unique(wanted, return_inverse=True)
        lengths = self.index['length'].astype(np.int64)
        offsets = self.start + np.cumsum(lengths) - lengths
        maps = np.empty((len(distinct), *self.identity.map_shape), np.uint8)
        try:
            with self.path.open('rb') as file:
                for number, place in enumerate(distinct):
                    file.seek(offsets[place])
                    maps[number] = self._decode(file.read(lengths[place]), place)
        except OSError as error:
            raise UserError(f'{self.path} cannot be read: {error.strerror}') from error
        return maps[where.reshape(-1)]

    def _decode(self, blob: bytes, place: int) -> np.ndarray:
        crc, shape = int(self.index['crc'][place]), self.identity.map_shape
        values = decode_map(blob, crc, shape)
        labels = self.identity.form == 'labels'
        if values is None or (labels and values.max() >= len(self.identity.label_set)):
            raise broken(self.path)
        return values
