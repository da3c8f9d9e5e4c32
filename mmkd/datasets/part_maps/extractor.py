"""Extract the part maps of one video."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mmkd.datasets.part_maps.cache import map_path
from mmkd.datasets.part_maps.encoding import EncodedMap, encode_file, encode_map
from mmkd.datasets.part_maps.identity import CacheIdentity
from mmkd.datasets.part_maps.storing import stored_frames, to_stored
from mmkd.datasets.part_maps.video import OpenVideo
from mmkd.errors import UserError
from mmkd.files import replacing


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
        return VideoCost(
            self.videos + other.videos,
            self.maps + other.maps,
            self.bytes + other.bytes,
            self.seconds + other.seconds,
            self.empty + other.empty,
        )


@dataclass(frozen=True)
class Extractor:
    """Writes the maps of videos into a cache, each file whole or not at all.

    Attributes:
        parser: A ``HumanParser`` on its device.
        identity: The cache.
        folder: Its folder.
        prefix: Folder of the videos.
        batch_size: Frames that the parser sees at a time.
        device: Where it is.
    """

    parser: Any
    identity: CacheIdentity
    folder: Path
    prefix: Path
    batch_size: int = 16
    device: str = 'cpu'

    def extract(self, name: str) -> VideoCost:
        """Extract and write the maps of a video.

        Args:
            name: Its path in the list.

        Raises:
            UserError: If it cannot be decoded, the parser fails on it, or the file
                cannot be written.
        """
        start = time.perf_counter()
        video = OpenVideo.open(self.prefix / name, name)
        maps = self._maps(video)
        data = encode_file(self.identity, video.facts, maps)
        # It is on the disk before it has its name, so that a kill leaves no part of it.
        with replacing(map_path(self.folder, name)) as temporary:
            temporary.write_bytes(data)
        empty = sum(encoded.person == 0 for encoded in maps)
        seconds = time.perf_counter() - start
        return VideoCost(1, len(maps), len(data), seconds, empty)

    def _maps(self, video: OpenVideo) -> list[EncodedMap]:
        wanted = stored_frames(video.facts.frames, self.identity.stride)
        maps: list[EncodedMap] = []
        for numbers, frames in video.batches(wanted, self.batch_size):
            batch = torch.from_numpy(frames).to(self.device).permute(0, 3, 1, 2)
            with torch.inference_mode():
                found = self.parser.parse(batch, video.facts.name, numbers.tolist())
            self._check(found, len(numbers))
            stored, shares = to_stored(found, self.identity)
            rows = zip(numbers.tolist(), shares.tolist(), stored, strict=True)
            maps += [encode_map(*row) for row in rows]
        return maps

    def _check(self, found: torch.Tensor, frames: int) -> None:
        parts = len(self.identity.label_set)
        if found.ndim != 4 or tuple(found.shape[:2]) != (frames, parts):
            raise UserError(
                f'the parser returned {tuple(found.shape)} for {frames} frames and '
                f'{parts} labels',
                'It must return (F, K, h, w).',
            )
