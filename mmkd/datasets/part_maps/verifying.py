"""Compare a cache with the videos completely: hashes, frame counts, every map."""

from collections.abc import Sequence
from pathlib import Path

from mmkd.datasets.part_maps.cache import map_path
from mmkd.datasets.part_maps.file import PartMapFile
from mmkd.datasets.part_maps.identity import CacheIdentity
from mmkd.datasets.part_maps.storing import stored_frames
from mmkd.errors import UserError
from mmkd.files import sha256
from mmkd.progress import track


def verify(
    folder: Path, prefix: Path, names: Sequence[str], identity: CacheIdentity
) -> dict[str, str]:
    """Find the videos whose maps cannot be relied on.

    Args:
        folder: The cache.
        prefix: Folder of the videos.
        names: Paths of the videos in it.
        identity: What the cache must be.

    Returns:
        Name to reason; empty if all is well.
    """
    bad: dict[str, str] = {}
    for name in track(names, 'verifying maps'):
        try:
            _verify_one(map_path(folder, name), prefix / name, identity)
        except UserError as error:
            bad[name] = error.what
    return bad


def _verify_one(path: Path, video: Path, identity: CacheIdentity) -> None:
    maps = PartMapFile.open(path)
    identity.require(maps.identity, path, '')
    expected = stored_frames(maps.video.frames, identity.stride)
    if maps.frames.tolist() != expected.tolist():
        raise UserError(f'{path} lacks maps, or has some of other frames')
    try:
        same = sha256(video) == maps.video.sha256
    except OSError as error:
        raise UserError(f'{video} cannot be read: {error.strerror}') from error
    if not same:
        raise UserError(f'{path} is of another file than {video} (SHA-256)')
    for place in range(len(maps.frames)):
        maps.read([place])
