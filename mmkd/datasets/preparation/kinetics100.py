"""Kinetics-100 as auxSKD defines it: a list of 32,552 clips of 100 classes."""

from pathlib import Path

from mmkd.datasets.preparation.entries import Entry, Plan, VideoList
from mmkd.datasets.preparation.finding import clip_key
from mmkd.datasets.preparation.text import fields_of, malformed, read_lines

NUM_CLASSES = 100
REMEDY = (
    'Take auxSKD/list/k100.list from the auxSKD repository, and name it with --list.'
)


def read_kinetics100(path: Path) -> Plan:
    """Read auxSKD's ``k100.list`` (https://github.com/Plrbear/auxSKD).

    A line is ``class_name/youtubeid_ssssss_eeeeee nframes``. It has no label: the label
    is the place of the class among the sorted class names (ours; pre-training does not
    use it).

    Raises:
        UserError: If the file is absent or a line malformed.
    """
    clips: list[tuple[str, str]] = []
    for number, line in read_lines(path, REMEDY):
        clip, frames = fields_of(path, number, line, ['class/clip', 'frames'])
        name, slash, rest = clip.partition('/')
        if not (name and slash and rest and frames.isdecimal()):
            raise malformed(path, number, f'not a class, a clip and a count: {line!r}')
        clips.append((clip, name))
    names = sorted({name for _, name in clips})
    labels = {name: label for label, name in enumerate(names)}
    notes = ['labels are the places of the sorted class names']
    if len(names) != NUM_CLASSES:
        notes.append(f'{path} has {len(names)} classes instead of {NUM_CLASSES}')
    entries = tuple(Entry(f'{clip}.mp4', labels[name]) for clip, name in clips)
    lists = (VideoList('train', entries),)
    return Plan('kinetics100', tuple(names), lists, clip_key, tuple(notes))
