"""UCF101 and HMDB51: three official splits, the class is that of the folder."""

from pathlib import Path

from mmkd.commands.prepare.official_lists import (
    Entry,
    Plan,
    VideoList,
    malformed,
    read_fields,
)
from mmkd.errors import UserError

SPLITS = (1, 2, 3)
UCF101_REMEDY = (
    'Give the folder that holds classInd.txt, trainlist01..03.txt and '
    'testlist01..03.txt with --annotations.'
)
HMDB51_CLASSES = 51
HMDB51_FLAGS = {'0': 'unused', '1': 'train', '2': 'test'}
HMDB51_REMEDY = (
    "Give the folder with the 153 files '<class>_test_split<1|2|3>.txt' with "
    '--annotations.'
)


def read_ucf101(annotations: Path) -> Plan:
    """Read UCF101's seven official files (https://www.crcv.ucf.edu/data/UCF101.php).

    Their lines end in CRLF; training lists have 1-based labels, test lists none. Labels
    become 0-based.

    Raises:
        UserError: If a file is absent, a line malformed, a class unknown, or a label
            not that of the folder.
    """
    labels = _ucf101_classes(annotations / 'classInd.txt')
    lists = []
    for split in SPLITS:
        for part, fields in ('train', ['path', 'label']), ('test', ['path']):
            path = annotations / f'{part}list0{split}.txt'
            entries = _ucf101_entries(path, labels, fields)
            lists.append(VideoList(f'{part}_split{split}', entries, part == 'test'))
    return Plan('ucf101', tuple(labels), tuple(lists))


def _ucf101_classes(path: Path) -> dict[str, int]:
    """Return class name to 0-based label."""
    labels: dict[str, int] = {}
    for number, (index, name) in read_fields(path, ['index', 'class'], UCF101_REMEDY):
        if index != str(len(labels) + 1) or name in labels:
            found = f'{index} {name}'
            what = f'expected index {len(labels) + 1} and a new class, found {found!r}'
            raise malformed(path, number, what)
        labels[name] = len(labels)
    if not labels:
        raise UserError(f'{path} is empty', UCF101_REMEDY)
    return labels


def _ucf101_entries(
    path: Path, labels: dict[str, int], fields: list[str]
) -> tuple[Entry, ...]:
    entries = []
    for number, (video, *given) in read_fields(path, fields, UCF101_REMEDY):
        folder = video.partition('/')[0]
        if folder not in labels:
            raise malformed(path, number, f'{folder!r} is not a class of classInd.txt')
        if given and given[0] != str(labels[folder] + 1):
            what = f'label {given[0]}, but {folder} is class {labels[folder] + 1}'
            raise malformed(path, number, what)
        entries.append(Entry(video, labels[folder]))
    return tuple(entries)


def read_hmdb51(annotations: Path) -> Plan:
    """Read HMDB51's 153 official files ``<class>_test_split<1|2|3>.txt``.

    They come from http://serre-lab.clps.brown.edu/resources/HMDB/.
    The class is that of the *file*; the label is its index among the sorted class
    names, as in MMAction2's label map. Flag 0 (unused) is left out.

    Raises:
        UserError: If a file is absent or a line malformed.
    """
    names = _hmdb51_classes(annotations)
    lists = []
    for split in SPLITS:
        parts: dict[str, list[Entry]] = {part: [] for part in HMDB51_FLAGS.values()}
        for label, name in enumerate(names):
            path = annotations / _hmdb51_file(name, split)
            for part, entry in read_hmdb51_file(path, name, label):
                parts[part].append(entry)
        for part in ('train', 'test'):
            found = tuple(parts[part])
            lists.append(VideoList(f'{part}_split{split}', found, part == 'test'))
    return Plan('hmdb51', tuple(names), tuple(lists))


def _hmdb51_file(name: str, split: int) -> str:
    return f'{name}_test_split{split}.txt'


def _hmdb51_classes(annotations: Path) -> list[str]:
    if not annotations.is_dir():
        raise UserError(f'{annotations} is not a folder', HMDB51_REMEDY)
    files = {path.name for path in annotations.iterdir()}
    names = {f.rpartition('_test_split')[0] for f in files if '_test_split' in f}
    expected = {_hmdb51_file(name, split) for name in names for split in SPLITS}
    absent = sorted(expected - files)
    if absent:
        raise UserError(f'{annotations / absent[0]} is not there', HMDB51_REMEDY)
    # One class less would silently move the label of every class after it.
    if len(names) != HMDB51_CLASSES:
        what = f'{annotations} has split files of {len(names)} classes instead of 51'
        raise UserError(what, HMDB51_REMEDY)
    return sorted(names)


def read_hmdb51_file(path: Path, folder: str, label: int) -> list[tuple[str, Entry]]:
    """Return the entries of one class and split, each with its part of the split."""
    entries = []
    for number, (video, flag) in read_fields(path, ['video', 'flag']):
        if flag not in HMDB51_FLAGS:
            raise malformed(path, number, f'the flag is {flag!r}, not 0, 1 or 2')
        entries.append((HMDB51_FLAGS[flag], Entry(f'{folder}/{video}', label)))
    return entries
