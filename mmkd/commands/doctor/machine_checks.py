"""Checks of Python, of the data sets and of the free space."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mmkd.commands.doctor.findings import Finding, Status, fail, ok, warn
from mmkd.files import open_regular

_TESTED_PYTHON = (3, 13)


def check_python() -> Iterator[Finding]:
    """Check the version, its own modules, and that packages have an environment."""
    version = platform.python_version()
    if sys.maxsize < 2**32:
        yield fail('Python', f'{version}, 32 bit', 'Install a 64-bit Python.')
    elif sys.version_info[:2] > _TESTED_PYTHON:
        remedy = 'python3.11 -m venv .venv, should anything be odd'
        yield warn('Python', f'{version}; tested with 3.11 to 3.13', remedy)
    else:
        yield ok('Python', f'{version} ({sys.executable})')
    for path in _hiding_modules():
        remedy = 'Rename it, or take its folder out of PYTHONPATH.'
        yield fail('PYTHONPATH', f"{path} hides Python's own {path.stem}", remedy)
    if sys.prefix == sys.base_prefix:
        yield warn(
            'environment',
            "the system's own: other programs may need other versions",
            'python3.11 -m venv .venv && . .venv/bin/activate',
        )


def _hiding_modules() -> Iterator[Path]:
    """Yield what in ``PYTHONPATH`` is found before a module of Python's own."""
    for folder in os.environ.get('PYTHONPATH', '').split(os.pathsep):
        for name in sorted(sys.stdlib_module_names) if folder else ():
            for file in (Path(folder, f'{name}.py'), Path(folder, name, '__init__.py')):
                if file.is_file():
                    yield file.parent if file.stem == '__init__' else file


_LONGEST_LINE = 1 << 16  # bytes

# Set: a list that it must have.
_SETS = {
    'synthetic': 'train.txt',
    'ut_interaction': 'set1.txt',
    'ucf101': 'train_split1.txt',
    'hmdb51': 'train_split1.txt',
    'kinetics100': 'train.txt',
    'kinetics400': 'train.txt',
}


def check_data(folder: Path) -> Iterator[Finding]:
    """Check each data set that is there: its videos, its lists, its first video.

    Args:
        folder: Where the data sets are, normally ``data``.
    """
    there = [name for name in _SETS if (folder / name).exists()]
    for name in there:
        problem, lists = _data_set(folder / name, _SETS[name])
        title, videos = f'data/{name}', ' --videos DIR' if name != 'synthetic' else ''
        if problem:
            yield fail(title, problem, f'python tools/data/prepare.py {name}{videos}')
        else:
            yield ok(title, f'{lists} lists, the first video of each is there')
    if not there:
        text = f'{folder.resolve()} has no data set yet'
        remedy = 'python tools/data/prepare.py synthetic   (others: docs/data.md)'
        yield warn('data', text, remedy)


def _data_set(folder: Path, wanted: str) -> tuple[str, int]:
    """Return what is wrong with a data set, if anything, and how many lists it has."""
    videos = folder / 'videos'
    if videos.is_symlink() and not videos.exists():
        return f'{videos} leads to {videos.readlink()}, which is not there', 0
    if not videos.is_dir():
        return f'{videos} is not there', 0
    lists = sorted(p for p in folder.glob('*.txt') if p.name != 'classes.txt')
    if folder / wanted not in lists:
        return f'the list {wanted} is not there', 0
    problems = (_list_problem(path, videos) for path in lists)
    return next(filter(None, problems), ''), len(lists)


def _list_problem(path: Path, videos: Path) -> str:
    try:
        with open_regular(path) as file:  # a pipe would be waited for without end
            line = file.readline(_LONGEST_LINE).decode(errors='replace')
            first = line.rpartition(' ')[0].strip()
    except OSError as error:
        return f'{path} cannot be read: {error.strerror}'
    if not first:
        return f'{path} has no line `path label` at its top'
    if not (videos / first).is_file():
        return f'{path}, line 1: {videos / first} is not there'
    return ''


# Folder: (fails below, warns below), in GB. A checkpoint of R3D with its optimiser and
# queue takes 0.2 GB; a batch of 30 clips 0.02 GB.
_FOLDERS = {
    '.': (1.0, 10.0, 'Remove old epochs in work_dirs, or use --work-dir ELSEWHERE'),
    'temporary': (0.1, 1.0, 'export TMPDIR=A_FOLDER_WITH_ROOM'),
    '/dev/shm': (0.06, 0.5, 'docker run --shm-size=8g ..., or fewer num_workers'),
}


def check_disk() -> Iterator[Finding]:
    """Check the free space of the current folder, the temporary one, and /dev/shm."""
    for name, (least, little, remedy) in _FOLDERS.items():
        path = Path(tempfile.gettempdir()) if name == 'temporary' else Path(name)
        if path.is_dir():
            free = shutil.disk_usage(path).free / 1e9
            yield judge(path, free, (least, little), remedy)


def judge(path: Path, free: float, bounds: tuple[float, float], remedy: str) -> Finding:
    """Judge free space in GB: a failure below one bound, a warning below the other."""
    least, little = bounds
    text = f'{path.resolve()} has {free:.1f} GB free'
    if free >= little:
        return ok('disk', text)
    return Finding('disk', Status.FAIL if free < least else Status.WARN, text, remedy)
