"""UT-Interaction, segmented: the lists by set and the folds by sequence."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmkd.datasets.preparation.entries import UNLABELLED, Entry, Plan, VideoList
from mmkd.datasets.preparation.finding import video_files
from mmkd.datasets.preparation.text import malformed, read_csv
from mmkd.errors import UserError

CLASSES = ('hand_shaking', 'hugging', 'kicking', 'pointing', 'punching', 'pushing')
SETS = ('set1', 'set2', 'set1_other')
NUM_FOLDS, SEQUENCES_PER_FOLD = 5, 4
REMEDY = 'Give the folder with set1/, set2/ and set1_other/ with --videos.'


@dataclass(frozen=True)
class _Clip:
    """A clip, as ``<set>/<clip>_<sequence>_<label>.avi`` describes itself."""

    path: str
    part: str
    sequence: int
    label: int


def _parse(path: str) -> _Clip | None:
    match = re.fullmatch(r'([^/]+)/\d+_(\d+)_(\d+)\.\w+', path)
    if not match or match[1] not in SETS:
        return None
    clip = _Clip(path, match[1], int(match[2]), int(match[3]))
    fits = clip.label < len(CLASSES) or clip.part == 'set1_other'
    return clip if fits else None


def _clips_of_csv(path: Path) -> Iterator[_Clip]:
    for number, row in read_csv(path, ['path', 'label']):
        clip = _parse(row['path'])
        if clip is None:
            what = f'{row["path"]!r} is not <set>/<clip>_<sequence>_<label>.avi'
            raise malformed(path, number, what)
        if row['label'] != str(clip.label):
            what = f'label {row["label"]}, but the name {row["path"]!r} says otherwise'
            raise malformed(path, number, what)
        yield clip


def _clips(folder: Path) -> list[_Clip]:
    if not folder.is_dir():
        raise UserError(f'{folder} is not a folder', REMEDY)
    table = folder / 'labels.csv'
    if table.exists():
        return list(_clips_of_csv(table))
    return [clip for path in video_files(folder) if (clip := _parse(path))]


def _set_list(clips: list[_Clip], parts: tuple[str, ...], labelled: bool) -> VideoList:
    chosen = [clip for clip in clips if clip.part in parts]
    entries = [Entry(c.path, c.label if labelled else UNLABELLED) for c in chosen]
    name = 'pretrain' if len(parts) > 1 else parts[0]
    return VideoList(name, tuple(entries), evaluation=name == 'set2')


def _fold_lists(clips: list[_Clip], fold: int) -> list[VideoList]:
    labelled = [clip for clip in clips if clip.part != 'set1_other']
    split: dict[str, list[Entry]] = {'train': [], 'test': []}
    for clip in labelled:
        held_out = (clip.sequence - 1) // SEQUENCES_PER_FOLD == fold - 1
        split['test' if held_out else 'train'].append(Entry(clip.path, clip.label))
    return [
        VideoList(f'fold{fold}_{part}', tuple(entries), evaluation=part == 'test')
        for part, entries in split.items()
    ]


def read_ut_interaction(folder: Path) -> Plan:
    """Read the clips of the segmented sets.

    They come from https://cvrc.ece.utexas.edu/SDHA2010/Human_Interaction.html. A clip
    names its own sequence and label. ``labels.csv``, where it is there, says which
    clips there should be; without it those that are there are taken.

    The five folds hold out the sequences 1-4, 5-8, ..., 17-20 (ours): each tests four
    clips of each class, and a sequence is never on both sides. ``set1_other`` is for
    unlabelled use only; ``pretrain`` (set 1 and ``set1_other``) leaves set 2 unseen.

    Args:
        folder: Holds ``set1/``, ``set2/``, ``set1_other/`` and perhaps ``labels.csv``.

    Raises:
        UserError: If there is no clip, or a row of ``labels.csv`` is malformed.
    """
    clips = _clips(folder)
    if not clips:
        raise UserError(f'no clip such as set1/0_1_4.avi is in {folder}', REMEDY)
    lists = [
        _set_list(clips, ('set1',), True),
        _set_list(clips, ('set2',), True),
        _set_list(clips, ('set1_other',), False),
        _set_list(clips, ('set1', 'set1_other'), False),
    ]
    for fold in range(1, NUM_FOLDS + 1):
        lists += _fold_lists(clips, fold)
    return Plan('ut_interaction', CLASSES, tuple(lists))
