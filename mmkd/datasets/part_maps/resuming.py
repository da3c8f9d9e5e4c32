"""What an earlier, perhaps killed, extraction has left: done files and leftovers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmkd.datasets.part_maps.cache import check_video, map_path
from mmkd.datasets.part_maps.file import PartMapFile
from mmkd.datasets.part_maps.identity import CacheIdentity
from mmkd.errors import UserError


@dataclass(frozen=True)
class Remaining:
    """Videos of a list, by what is to be done with them.

    Attributes:
        todo: No maps yet, or damaged ones, or maps of a file that was exchanged.
        done: Their maps are there.
        renewed: How many of ``todo`` have a file that will be replaced.
    """

    todo: list[str]
    done: list[str]
    renewed: int


def remaining(
    folder: Path, prefix: Path, names: Sequence[str], identity: CacheIdentity
) -> Remaining:
    """Sort videos into done and to be done.

    A video is done if a sound file of this cache tells the size of its file.

    Raises:
        UserError: If a file is of another teacher or form.
    """
    todo: list[str] = []
    done: list[str] = []
    renewed = 0
    for name in names:
        path = map_path(folder, name)
        if not path.is_file():
            todo.append(name)
        elif _is_sound(path, prefix / name, identity):
            done.append(name)
        else:
            todo.append(name)
            renewed += 1
    return Remaining(todo, done, renewed)


def _is_sound(path: Path, video: Path, identity: CacheIdentity) -> bool:
    try:
        maps = PartMapFile.open(path)
    except UserError:
        return False
    identity.require(maps.identity, path, 'Delete it, or extract elsewhere.')
    try:
        check_video(maps, str(video), None)
    except UserError:
        return False
    return True


def remove_leftovers(folder: Path, names: Sequence[str]) -> int:
    """Delete temporary files that killed runs left beside the files of these videos.

    Only of these: another machine may be writing those of others.

    Returns:
        How many there were.
    """
    ours = {map_path(folder, name) for name in names}
    count = 0
    for parent in sorted({path.parent for path in ours}):
        for path in parent.glob('.*'):
            # As mmkd.files.replacing names them: a dot before, the process behind.
            target = path.with_name(path.name[1:].rpartition('.')[0])
            if target in ours and path.suffix[1:].isdigit():
                path.unlink(missing_ok=True)
                count += 1
    return count
