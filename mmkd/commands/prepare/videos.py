"""The user's videos: found by what a list calls them, opened once, and linked."""

import os
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from pathlib import Path, PurePosixPath

from mmkd.datasets.video_readers.inspection import FileState, inspect_video
from mmkd.errors import UserError
from mmkd.files import read_json, replacing_folder, write_json
from mmkd.progress import track

VIDEO_SUFFIXES = ('.avi', '.mp4', '.mkv', '.webm')
DEEPEST_FOLDER = 2
"""Folders below the root that are searched, as in ``train/class name/video.mp4``."""

_RENAME = 'Replace the blanks in folder and file names by underscores.'

Stamp = tuple[int, int]
Cache = dict[str, tuple[Stamp, FileState]]


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

    Two paths with the same ``key`` name the same video.
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

        def folder(path: str) -> str:
            return PurePosixPath(path).parent.name.lower().replace('_', ' ')

        return min(
            self._paths.get(self._key(listed), []),
            key=lambda path: (path != listed, folder(path) != folder(listed), path),
            default=None,
        )


def scan(
    root: Path, paths: Sequence[str], cache_path: Path, workers: int = 4
) -> dict[str, FileState]:
    """Inspect videos below ``root`` in parallel and remember the results.

    A file whose size and time of change are as they were in ``cache_path``, JSON, is
    not opened again. It is also written after Ctrl-C. Threads do, since PyAV lets go of
    Python's lock while it reads.
    """
    cache = _load_cache(cache_path)
    stamps = {path: _stamp(root / path) for path in paths}
    todo = [p for p in paths if p not in cache or cache[p][0] != stamps[p]]
    pool = ThreadPoolExecutor(workers)
    try:
        results = pool.map(inspect_video, [root / path for path in todo])
        progress = track(results, 'opening videos', len(todo))
        for path, state in zip(todo, progress, strict=True):
            cache[path] = (stamps[path], state)
    finally:
        pool.shutdown(cancel_futures=True)
        if todo:
            stored = {n: [*stamp, *astuple(s)] for n, (stamp, s) in cache.items()}
            write_json(cache_path, stored)
    return {path: cache[path][1] for path in paths}


def _load_cache(path: Path) -> Cache:
    """Read the earlier results; a damaged file counts as none."""
    try:
        return {
            name: ((size, time), FileState(*state))
            for name, (size, time, *state) in read_json(path).items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:  # a broken link; opening it will say so
        return -1, -1
    return status.st_size, status.st_mtime_ns


def link_videos(videos: Path, out: Path, paths: Iterable[str]) -> dict[str, str]:
    """Make ``out/videos`` the folder below which ``paths`` are found.

    MMAction2 splits a line of a list on blanks, so a list could not name a path such as
    ``air drumming/x.mp4``.

    It becomes a link with an absolute target to ``videos``; nothing is done if it is
    that folder already. Where a folder name holds a blank, it becomes a link to
    ``out/video_links``, which has one link per folder with ``_`` for the blank.

    Returns:
        What a list has to call each of ``paths``.

    Raises:
        UserError: If ``out/videos`` is a folder of something else, a link cannot be
            made, or two folders differ in nothing but blanks.
    """
    videos, link = videos.resolve(), out / 'videos'
    written = {path: _written(path) for path in paths}
    blanks = any(old != new for old, new in written.items())
    in_place = link.exists() and link.samefile(videos)
    if in_place and not blanks:
        return written
    if in_place and not link.is_symlink():
        what = f'{link} has folders with a blank in their name, which no list can name'
        raise UserError(what, 'Move it elsewhere and name that with --videos.')
    if link.exists() and not link.is_symlink():
        what = f'{link} is there already, and is not the folder given with --videos'
        raise UserError(what, 'Move it away, or give another folder with --out.')
    try:
        out.mkdir(parents=True, exist_ok=True)
        if blanks:
            links = out.resolve() / 'video_links'
            _make_folder_of_links(videos, links, _folders(videos, written))
            _link(links, link)
        else:
            _link(videos, link)
    except OSError as error:
        remedy = f'Put the videos into {link}, and leave --videos out.'
        raise UserError(f'{link} cannot be made a link: {error}', remedy) from None
    return written


def _written(path: str) -> str:
    return re.sub(r'\s+', '_', path)


def _link(target: Path, link: Path) -> None:
    """Make or replace a symbolic link in one step."""
    with replacing_folder(link) as fresh:
        temporary = fresh / link.name
        temporary.symlink_to(target, target_is_directory=True)
        os.replace(temporary, link)


def _folders(videos: Path, paths: Iterable[str]) -> dict[str, str]:
    """Return each folder of videos by its name without blanks; refuse clashes."""
    folders: dict[str, str] = {}
    for path in paths:
        folder, name = PurePosixPath(path).parent.as_posix(), PurePosixPath(path).name
        other = folders.setdefault(_written(folder), folder)
        if other != folder or _written(name) != name:
            what = f'{videos / path} cannot be given a name without blanks'
            raise UserError(what, _RENAME)
    for folder in folders:
        # A folder that holds both videos and folders cannot be one link.
        if any(up.as_posix() in folders for up in PurePosixPath(folder).parents):
            what = f'a folder above {videos / folders[folder]} holds videos, too'
            raise UserError(what, _RENAME)
    return folders


def _make_folder_of_links(videos: Path, folder: Path, names: dict[str, str]) -> None:
    with replacing_folder(folder) as fresh:
        for name, original in names.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).symlink_to(videos / original, target_is_directory=True)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(fresh, folder)
