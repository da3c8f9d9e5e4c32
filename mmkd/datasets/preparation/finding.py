"""Find listed videos on disk although copies differ in folder, case and container."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

VIDEO_SUFFIXES = ('.avi', '.mp4', '.mkv', '.webm')
DEEPEST_FOLDER = 2
"""Folders below the root that are searched, as in ``train/class name/video.mp4``."""


def _without_suffix(path: str) -> str:
    stem, suffix = os.path.splitext(path)
    return stem if suffix.lower() in VIDEO_SUFFIXES else path


def path_key(path: str) -> str:
    """Return the key for sets whose layout is fixed: class folder and file name.

    Case and container do not count: UCF101's ``v_HandStandPushups_*`` lies in the
    folder ``HandstandPushups``, and some copies repair that spelling.
    """
    return _without_suffix(path).lower()


def clip_key(path: str) -> str:
    """Return the key for Kinetics: ``youtubeid_ssssss_eeeeee`` in whatever folder.

    Case counts in a YouTube id. Leading ``-`` and ``_`` do not: auxSKD's list has lost
    them (1,119 of its ids are shorter than the 11 characters of an id, none of the
    others begins with one).
    """
    return PurePosixPath(_without_suffix(path)).name.lstrip('-_')


def _folder(path: str) -> str:
    return PurePosixPath(path).parent.name.lower().replace('_', ' ')


def video_files(root: Path) -> Iterator[str]:
    """Yield the videos below ``root`` as sorted relative paths with ``/``."""
    for folder, folders, names in os.walk(root, followlinks=True):
        relative = Path(folder).relative_to(root)
        folders.sort()
        if len(relative.parts) >= DEEPEST_FOLDER:
            folders.clear()
        for name in sorted(names):
            if name.lower().endswith(VIDEO_SUFFIXES):
                yield (relative / name).as_posix()


class VideoIndex:
    """The videos below a folder, to be found by what a list calls them.

    Args:
        root: The folder of videos.
        key: Two paths with the same key name the same video.
    """

    def __init__(self, root: Path, key: Callable[[str], str]) -> None:
        self._key = key
        self._paths: dict[str, list[str]] = defaultdict(list)
        for path in video_files(root):
            self._paths[key(path)].append(path)

    def find(self, listed: str) -> str | None:
        """Return the relative path on disk of a listed video, or None.

        Of several copies, the exact path comes first, then one whose folder bears the
        listed class name (a blank or an underscore), then the first by name.
        """
        copies = self._paths.get(self._key(listed), [])
        return min(
            copies,
            key=lambda path: (path != listed, _folder(path) != _folder(listed), path),
            default=None,
        )
