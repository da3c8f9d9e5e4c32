"""HMDB51's official split files: one per class and split, lines ending in a blank."""

from pathlib import Path

from mmkd.datasets.preparation.entries import Entry, Plan, VideoList
from mmkd.datasets.preparation.text import fields_of, malformed, read_lines
from mmkd.errors import UserError

NUM_CLASSES = 51
SPLITS = (1, 2, 3)
FLAGS = {'0': 'unused', '1': 'train', '2': 'test'}
REMEDY = (
    "Give the folder with the 153 files '<class>_test_split<1|2|3>.txt' with "
    '--annotations.'
)


def _file_name(name: str, split: int) -> str:
    return f'{name}_test_split{split}.txt'


def _class_names(annotations: Path) -> list[str]:
    if not annotations.is_dir():
        raise UserError(f'{annotations} is not a folder', REMEDY)
    files = {path.name for path in annotations.iterdir()}
    names = {f.rpartition('_test_split')[0] for f in files if '_test_split' in f}
    expected = {_file_name(name, split) for name in names for split in SPLITS}
    absent = sorted(expected - files)
    if absent:
        raise UserError(f'{annotations / absent[0]} is not there', REMEDY)
    # One class less would silently move the label of every class after it.
    if len(names) != NUM_CLASSES:
        what = f'{annotations} has split files of {len(names)} classes instead of 51'
        raise UserError(what, REMEDY)
    return sorted(names)


def _read_file(path: Path, folder: str, label: int) -> list[tuple[str, Entry]]:
    entries = []
    for number, line in read_lines(path):
        video, flag = fields_of(path, number, line, ['video', 'flag'])
        if flag not in FLAGS:
            raise malformed(path, number, f'the flag is {flag!r}, not 0, 1 or 2')
        entries.append((FLAGS[flag], Entry(f'{folder}/{video}', label)))
    return entries


def read_hmdb51(annotations: Path) -> Plan:
    """Read the 153 official files.

    They come from http://serre-lab.clps.brown.edu/resources/HMDB/.
    The class is that of the *file*; the label is its place among the sorted class
    names, as in MMAction2's label map. Flag 0 (unused) is left out.

    Args:
        annotations: Folder with ``<class>_test_split<1|2|3>.txt``.

    Raises:
        UserError: If a file is absent or a line malformed.
    """
    names = _class_names(annotations)
    lists = []
    for split in SPLITS:
        parts: dict[str, list[Entry]] = {part: [] for part in FLAGS.values()}
        for label, name in enumerate(names):
            path = annotations / _file_name(name, split)
            for part, entry in _read_file(path, name, label):
                parts[part].append(entry)
        for part in ('train', 'test'):
            found = tuple(parts[part])
            lists.append(VideoList(f'{part}_split{split}', found, part == 'test'))
    return Plan('hmdb51', tuple(names), tuple(lists))
