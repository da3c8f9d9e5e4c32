"""Kinetics: 400 classes from the official CSV files, 100 as auxSKD defines them."""

from pathlib import Path

from mmkd.commands.prepare.official_lists import (
    Entry,
    Plan,
    VideoList,
    malformed,
    read_csv,
    read_fields,
    read_lines,
)
from mmkd.commands.prepare.videos import clip_key
from mmkd.errors import UserError

COLUMNS = ('label', 'youtube_id', 'time_start', 'time_end')
CSV_REMEDY = (
    'Take the CSV files (label,youtube_id,time_start,time_end,split) of the official '
    'archive, and name them with --train-csv and --val-csv.'
)
LIST_REMEDY = (
    'Take auxSKD/list/k100.list from the auxSKD repository, and name it with --list.'
)


def read_kinetics100(path: Path) -> Plan:
    """Read auxSKD's ``k100.list`` of 32,552 clips (https://github.com/Plrbear/auxSKD).

    A line is ``class_name/youtubeid_ssssss_eeeeee nframes``. It has no label: the label
    is the index of the class among the sorted class names (ours; pre-training does not
    use it).

    Raises:
        UserError: If the file is absent or a line malformed.
    """
    clips: list[tuple[str, str]] = []
    fields = ['class/clip', 'frames']
    for number, (clip, frames) in read_fields(path, fields, LIST_REMEDY):
        name, slash, rest = clip.partition('/')
        if not (name and slash and rest and frames.isdecimal()):
            found = f'{clip} {frames}'
            raise malformed(path, number, f'not a class, a clip and a count: {found!r}')
        clips.append((clip, name))
    names = sorted({name for _, name in clips})
    labels = {name: label for label, name in enumerate(names)}
    notes = ['labels are indices into the sorted class names']
    if len(names) != 100:
        notes.append(f'{path} has {len(names)} classes instead of 100')
    entries = tuple(Entry(f'{clip}.mp4', labels[name]) for clip, name in clips)
    lists = (VideoList('train', entries),)
    return Plan('kinetics100', tuple(names), lists, clip_key, tuple(notes))


def read_kinetics400(
    train_csv: Path, val_csv: Path | None = None, label_map: Path | None = None
) -> Plan:
    """Read the official CSV files.

    They are found at https://github.com/cvdfoundation/kinetics-dataset. The label is
    the index of the class among the sorted class names of ``train_csv``, which is
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
    notes = [] if len(names) == 400 else [f'{len(names)} classes instead of 400']
    return Plan('kinetics400', tuple(names), tuple(lists), clip_key, tuple(notes))


def _read_list(path: Path, split: str, labels: dict[str, int]) -> VideoList:
    entries = []
    for number, row in _read_rows(path, split):
        if row['label'] not in labels:
            raise malformed(path, number, f'class {row["label"]!r} is not in the list')
        entries.append(Entry(_clip_path(path, number, row), labels[row['label']]))
    return VideoList(split, tuple(entries), evaluation=split == 'val')


def _read_rows(path: Path, split: str) -> list[tuple[int, dict[str, str]]]:
    rows = list(read_csv(path, COLUMNS, CSV_REMEDY))
    for number, row in rows:
        # The official spelling is 'val' or 'validate'.
        given = row.get('split') or split
        if not given.startswith(split):
            what = f'split {given!r} in the file that is given for {split!r}'
            raise malformed(path, number, what)
    return rows


def _clip_path(path: Path, number: int, row: dict[str, str]) -> str:
    try:
        start, end = (round(float(row[key])) for key in ('time_start', 'time_end'))
    except (ValueError, OverflowError):  # nan and inf are numbers to Python
        raise malformed(path, number, 'a time is not a number of seconds') from None
    return f'{row["label"]}/{row["youtube_id"]}_{start:06d}_{end:06d}.mp4'
