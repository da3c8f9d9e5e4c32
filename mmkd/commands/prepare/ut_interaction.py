"""UT-Interaction, segmented: the lists by set and the folds by sequence."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmkd.commands.prepare.official_lists import (
    Entry,
    Plan,
    VideoList,
    malformed,
    read_csv,
)
from mmkd.commands.prepare.videos import video_files
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

    @property
    def fold(self) -> int:
        """The fold, from 1, that tests its sequence."""
        return (self.sequence - 1) // SEQUENCES_PER_FOLD + 1


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
    of_set = {part: [clip for clip in clips if clip.part == part] for part in SETS}
    lists = [
        _list('set1', of_set['set1']),
        _list('set2', of_set['set2'], evaluation=True),
        _list('set1_other', of_set['set1_other'], labelled=False),
        _list('pretrain', [c for c in clips if c.part != 'set2'], labelled=False),
    ]
    labelled = [clip for clip in clips if clip.part != 'set1_other']
    for fold in range(1, NUM_FOLDS + 1):
        lists += [
            _list(f'fold{fold}_train', [c for c in labelled if c.fold != fold]),
            _list(f'fold{fold}_test', [c for c in labelled if c.fold == fold], True),
        ]
    return Plan('ut_interaction', CLASSES, tuple(lists))


def _list(
    name: str, clips: list[_Clip], evaluation: bool = False, labelled: bool = True
) -> VideoList:
    entries = [Entry(clip.path, clip.label if labelled else -1) for clip in clips]
    return VideoList(name, tuple(entries), evaluation)
