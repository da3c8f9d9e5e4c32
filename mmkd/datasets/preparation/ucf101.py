"""UCF101's official split files: CRLF, 1-based labels, none at all in test lists."""

from pathlib import Path

from mmkd.datasets.preparation.entries import Entry, Plan, VideoList
from mmkd.datasets.preparation.text import fields_of, malformed, read_lines
from mmkd.errors import UserError

REMEDY = (
    'Give the folder that holds classInd.txt, trainlist01..03.txt and '
    'testlist01..03.txt with --annotations.'
)


def read_classes(path: Path) -> dict[str, int]:
    """Read ``classInd.txt``.

    Returns:
        Class name to 0-based label.

    Raises:
        UserError: If a line is malformed or the indices are not 1, 2, 3, ...
    """
    labels: dict[str, int] = {}
    for number, line in read_lines(path, REMEDY):
        index, name = fields_of(path, number, line, ['index', 'class'])
        if index != str(len(labels) + 1) or name in labels:
            what = f'expected index {len(labels) + 1} and a new class, found {line!r}'
            raise malformed(path, number, what)
        labels[name] = len(labels)
    if not labels:
        raise UserError(f'{path} is empty', REMEDY)
    return labels


def _read_split(
    path: Path, labels: dict[str, int], labelled: bool
) -> tuple[Entry, ...]:
    names = ['path', 'label'] if labelled else ['path']
    entries = []
    for number, line in read_lines(path, REMEDY):
        video, *given = fields_of(path, number, line, names)
        folder = video.partition('/')[0]
        if folder not in labels:
            raise malformed(path, number, f'{folder!r} is not a class of classInd.txt')
        if given and given[0] != str(labels[folder] + 1):
            what = f'label {given[0]}, but {folder} is class {labels[folder] + 1}'
            raise malformed(path, number, what)
        entries.append(Entry(video, labels[folder]))
    return tuple(entries)


def read_ucf101(annotations: Path) -> Plan:
    """Read the seven official files (https://www.crcv.ucf.edu/data/UCF101.php).

    The class is that of the folder; labels become 0-based.

    Args:
        annotations: Folder with ``classInd.txt``, ``trainlist0N.txt`` and
            ``testlist0N.txt``.

    Raises:
        UserError: If a file is absent, a line malformed, a class unknown, or a label
            not that of the folder.
    """
    labels = read_classes(annotations / 'classInd.txt')
    lists = []
    for split in (1, 2, 3):
        train, test = (annotations / f'{p}list0{split}.txt' for p in ('train', 'test'))
        lists += [
            VideoList(f'train_split{split}', _read_split(train, labels, True)),
            VideoList(f'test_split{split}', _read_split(test, labels, False), True),
        ]
    return Plan('ucf101', tuple(labels), tuple(lists))
