"""Kinetics-400 from the official CSV files."""

from pathlib import Path

from mmkd.datasets.preparation.entries import Entry, Plan, VideoList
from mmkd.datasets.preparation.finding import clip_key
from mmkd.datasets.preparation.text import malformed, read_csv, read_lines
from mmkd.errors import UserError

NUM_CLASSES = 400
COLUMNS = ('label', 'youtube_id', 'time_start', 'time_end')
REMEDY = (
    'Take the CSV files (label,youtube_id,time_start,time_end,split) of the official '
    'archive, and name them with --train-csv and --val-csv.'
)


def _clip_path(path: Path, number: int, row: dict[str, str]) -> str:
    try:
        start, end = (round(float(row[key])) for key in ('time_start', 'time_end'))
    except (ValueError, OverflowError):  # nan and inf are numbers to Python
        raise malformed(path, number, 'a time is not a number of seconds') from None
    clip = f'{row["youtube_id"]}_{start:06d}_{end:06d}.mp4'
    return f'{row["label"]}/{clip}'


def _read_rows(path: Path, split: str) -> list[tuple[int, dict[str, str]]]:
    rows = list(read_csv(path, COLUMNS, REMEDY))
    for number, row in rows:
        # The official spelling is 'val' or 'validate'.
        given = row.get('split') or split
        if not given.startswith(split):
            what = f'split {given!r} in the file that is given for {split!r}'
            raise malformed(path, number, what)
    return rows


def _read_list(path: Path, split: str, labels: dict[str, int]) -> VideoList:
    entries = []
    for number, row in _read_rows(path, split):
        if row['label'] not in labels:
            raise malformed(path, number, f'class {row["label"]!r} is not in the list')
        entries.append(Entry(_clip_path(path, number, row), labels[row['label']]))
    return VideoList(split, tuple(entries), evaluation=split == 'val')


def read_kinetics400(
    train_csv: Path, val_csv: Path | None = None, label_map: Path | None = None
) -> Plan:
    """Read the official CSV files.

    They are found at https://github.com/cvdfoundation/kinetics-dataset. The label is
    the place of the class among the sorted class names of ``train_csv``, which is
    MMAction2's order, or its line in ``label_map``.

    Args:
        train_csv: Columns ``label,youtube_id,time_start,time_end,split,is_cc``.
        val_csv: The same for the validation clips.
        label_map: One class name a line.

    Raises:
        UserError: If a file is absent, a row malformed, a class unknown, or a row of
            another split than the file is given for.
    """
    if label_map is None:
        names = sorted({row['label'] for _, row in _read_rows(train_csv, 'train')})
    else:
        names = [line for _, line in read_lines(label_map)]
    labels = {name: label for label, name in enumerate(names)}
    if len(labels) != len(names):
        raise UserError(f'{label_map} has a class twice', 'Write one class a line.')
    lists = [_read_list(train_csv, 'train', labels)]
    if val_csv is not None:
        lists.append(_read_list(val_csv, 'val', labels))
    notes = []
    if len(names) != NUM_CLASSES:
        notes.append(f'{len(names)} classes instead of {NUM_CLASSES}')
    return Plan('kinetics400', tuple(names), tuple(lists), clip_key, tuple(notes))
