"""Bytes of a file of part maps; docs/part_maps.md has them in a table."""

import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mmkd.datasets.part_maps.identity import CacheIdentity
from mmkd.datasets.part_maps.json_values import Fields, parse_object
from mmkd.errors import UserError

MAGIC = b'MMKDMAP1'
#: Magic, bytes of the header, number of maps, CRC-32 of header and index.
PREFIX = struct.Struct('<8sIII')
#: One row a map: its frame, compressed bytes, their CRC-32, share of persons / 65535.
INDEX_ROW = np.dtype(
    [('frame', '<u4'), ('length', '<u4'), ('crc', '<u4'), ('person', '<u2')]
)
FULL_SHARE = 65535
MAX_HEADER = 1 << 20
MAX_FRAMES = 1 << 31
MAX_SIDE = 1 << 16


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
    """

    name: str
    bytes: int
    sha256: str
    frames: int
    fps: float
    height: int
    width: int

    @classmethod
    def from_json(cls, fields: Fields) -> 'VideoFacts':
        """Read it from a header.

        Raises:
            UserError: If a value is missing or cannot be.
        """
        return cls(
            name=fields.text('name'),
            bytes=fields.whole('bytes', 0, 1 << 62),
            sha256=fields.text('sha256'),
            frames=fields.whole('frames', 1, MAX_FRAMES),
            fps=fields.number('fps'),
            height=fields.whole('height', 1, MAX_SIDE),
            width=fields.whole('width', 1, MAX_SIDE),
        )


@dataclass(frozen=True)
class EncodedMap:
    """The map of one frame, compressed.

    Attributes:
        frame: Its number, from 0.
        person: Share of the frame that is not background, 0 to 65535.
        blob: zlib stream of the map's bytes.
    """

    frame: int
    person: int
    blob: bytes


def encode_map(frame: int, person: float, values: np.ndarray) -> EncodedMap:
    """Compress the map of one frame.

    Args:
        frame: Its number.
        person: Share of the frame that is not background, 0 to 1.
        values: uint8 ``(s, s)`` or ``(K, s, s)``.
    """
    share = round(min(max(person, 0.0), 1.0) * FULL_SHARE)
    return EncodedMap(frame, share, zlib.compress(values.tobytes(), 9))


def decode_map(blob: bytes, crc: int, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return a map, or None if the bytes are not those of a map of that shape."""
    if zlib.crc32(blob) != crc:
        return None
    size, stream = int(np.prod(shape)), zlib.decompressobj()
    try:
        # No more than a map is ever unpacked, whatever the stream holds.
        data = stream.decompress(blob, size + 1)
    except zlib.error:
        return None
    if len(data) != size or not stream.eof:
        return None
    return np.frombuffer(data, np.uint8).reshape(shape)


def encode_file(
    identity: CacheIdentity, video: VideoFacts, maps: Sequence[EncodedMap]
) -> bytes:
    """Return the bytes of the file of one video: the same for the same maps."""
    facts = {'cache': identity.as_json(), 'video': asdict(video)}
    header = json.dumps(facts, sort_keys=True, separators=(',', ':')).encode()
    rows = [(m.frame, len(m.blob), zlib.crc32(m.blob), m.person) for m in maps]
    index = np.array(rows, INDEX_ROW).tobytes()
    crc = zlib.crc32(header + index)
    prefix = PREFIX.pack(MAGIC, len(header), len(maps), crc)
    return b''.join([prefix, header, index, *(m.blob for m in maps)])


def decode_prefix(data: bytes, where: object) -> tuple[int, int, int]:
    """Return the bytes of the header, the number of maps and the checksum.

    Raises:
        UserError: If these are not the first bytes of such a file.
    """
    if len(data) != PREFIX.size or not data.startswith(MAGIC):
        raise broken(where)
    _, header, count, crc = PREFIX.unpack(data)
    if not (0 < header <= MAX_HEADER and 0 < count <= MAX_FRAMES):
        raise broken(where)
    return header, count, crc


def decode_header(data: bytes, where: object) -> tuple[CacheIdentity, VideoFacts]:
    """Return what a header says.

    Raises:
        UserError: If a value is missing or cannot be.
    """
    values: dict[str, Any] = parse_object(data, where)
    fields = Fields(values, where)
    identity = CacheIdentity.from_json(fields.inner('cache').values, where)
    return identity, VideoFacts.from_json(fields.inner('video'))


def decode_index(data: bytes, frames: int, where: object) -> np.ndarray:
    """Return the rows of an index.

    Raises:
        UserError: If its frames do not rise, or are not frames of the video.
    """
    index = np.frombuffer(data, INDEX_ROW)
    numbers = index['frame'].astype(np.int64)
    if (np.diff(numbers) <= 0).any() or numbers[-1] >= frames:
        raise broken(where)
    return index


def broken(where: object) -> UserError:
    """Return the error that a file is damaged or something else."""
    return UserError(
        f'{where} is damaged or no file of part maps',
        'Delete it and run tools/teacher/extract.py again.',
    )
