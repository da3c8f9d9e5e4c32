"""Make ``OUT/videos`` lead to the user's videos, without a blank in any path.

MMAction2 splits a line of a list on blanks, so a path such as ``air drumming/x.mp4``
could not be read from a list. Folders with a blank get a link without.
"""

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from mmkd.errors import UserError

FOLDER_OF_LINKS = 'video_links'
_RENAME = 'Replace the blanks in folder and file names by underscores.'


def _written(path: str) -> str:
    return re.sub(r'\s+', '_', path)


def _link(target: Path, link: Path) -> None:
    """Make or replace a symbolic link in one step."""
    temporary = link.with_name(f'.{link.name}.{os.getpid()}')
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target, target_is_directory=True)
    os.replace(temporary, link)


def _check_free(link: Path) -> None:
    if link.exists() and not link.is_symlink():
        what = f'{link} is there already, and is not the folder given with --videos'
        raise UserError(what, 'Move it away, or give another folder with --out.')


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
    fresh = folder.with_name(f'.{folder.name}.{os.getpid()}')
    shutil.rmtree(fresh, ignore_errors=True)
    for name, original in names.items():
        (fresh / name).parent.mkdir(parents=True, exist_ok=True)
        (fresh / name).symlink_to(videos / original, target_is_directory=True)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(fresh, folder)


def link_videos(videos: Path, out: Path, paths: Iterable[str]) -> dict[str, str]:
    """Make ``out/videos`` the folder below which ``paths`` are found.

    It becomes a link with an absolute target to ``videos``; nothing is done if it is
    that folder already. Where a folder name holds a blank, it becomes a link to
    ``out/video_links``, which has one link per folder with ``_`` for the blank.

    Args:
        videos: The folder of videos.
        out: The folder of lists.
        paths: The videos that lists will name, below ``videos``.

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
        raise UserError(what, 'Move it to another place and name that with --videos.')
    _check_free(link)
    try:
        out.mkdir(parents=True, exist_ok=True)
        if blanks:
            links = out.resolve() / FOLDER_OF_LINKS
            _make_folder_of_links(videos, links, _folders(videos, written))
            _link(links, link)
        else:
            _link(videos, link)
    except OSError as error:
        remedy = f'Put the videos into {link}, and leave --videos out.'
        raise UserError(f'{link} cannot be made a link: {error}', remedy) from None
    return written
