"""Find the part maps of a video, and make sure that they are of this very file."""

import os
from pathlib import Path, PurePath

from mmkd.datasets.part_maps.file import SUFFIX, PartMapFile
from mmkd.datasets.part_maps.identity import read_identity
from mmkd.errors import UserError

MAPS = 'maps'


def map_path(folder: Path, name: str) -> Path:
    """Return where the maps of a video lie.

    Args:
        folder: Folder of the cache.
        name: Path of the video in its list.

    Raises:
        UserError: If the name leads out of the folder.
    """
    pure = PurePath(name)
    if pure.is_absolute() or '..' in pure.parts:
        raise UserError(f'{name} lies outside of the folder of videos', 'Correct it.')
    return folder / MAPS / f'{pure}{SUFFIX}'


class PartMapCache:
    """A folder of part maps that ``tools/teacher/extract.py`` wrote. Ours.

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
        """Open the maps of a video.

        Args:
            video: Path of the video file. Its size is compared if it is there.
            total_frames: Its frames, as decord counts them; None compares none.

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
    """Make sure that maps are of this file, by its size and number of frames.

    Raises:
        UserError: If they are not.
    """
    facts = maps.video
    found = {'bytes': facts.bytes, 'frames': facts.frames}
    actual = {'bytes': _size(video, facts.bytes), 'frames': total_frames}
    for what, value in actual.items():
        if value is not None and value != found[what]:
            raise UserError(
                f'{maps.path} is of another file than {video} ({found[what]} {what}, '
                f'not {value})',
                'Extract its maps again with tools/teacher/extract.py.',
            )


def _size(video: str, otherwise: int) -> int:
    """Return the bytes of a file; packed or remote videos have no file here."""
    try:
        return os.stat(video).st_size
    except OSError:
        return otherwise
