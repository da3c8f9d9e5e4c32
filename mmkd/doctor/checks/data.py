"""The data sets in ``data/``."""

from collections.abc import Iterator
from pathlib import Path

from mmkd.doctor.finding import Finding, fail, ok, warn

# Set: a list that it must have.
SETS = {
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
    there = [name for name in SETS if (folder / name).exists()]
    for name in there:
        yield _data_set(folder / name, name)
    if not there:
        text = f'{folder.resolve()} has no data set yet'
        remedy = 'python tools/data/prepare.py synthetic   (others: docs/data.md)'
        yield warn('data', text, remedy)


def _data_set(folder: Path, name: str) -> Finding:
    title = f'data/{name}'
    again = f'python tools/data/prepare.py {name} --videos DIR'
    if name == 'synthetic':
        again = 'python tools/data/prepare.py synthetic'
    videos = folder / 'videos'
    if videos.is_symlink() and not videos.exists():
        text = f'{videos} leads to {videos.readlink()}, which is not there'
        return fail(title, text, again)
    if not videos.is_dir():
        return fail(title, f'{videos} is not there', again)
    lists = sorted(p for p in folder.glob('*.txt') if p.name != 'classes.txt')
    if folder / SETS[name] not in lists:
        return fail(title, f'the list {SETS[name]} is not there', again)
    for path in lists:
        problem = _list_problem(path, videos)
        if problem:
            return fail(title, problem, again)
    return ok(title, f'{len(lists)} lists, the first video of each is there')


def _list_problem(path: Path, videos: Path) -> str:
    try:
        with path.open(encoding='utf-8', errors='replace') as file:
            first = file.readline().rpartition(' ')[0].strip()
    except OSError as error:
        return f'{path} cannot be read: {error.strerror}'
    if not first:
        return f'{path} has no line `path label` at its top'
    if not (videos / first).is_file():
        return f'{path}, line 1: {videos / first} is not there'
    return ''
