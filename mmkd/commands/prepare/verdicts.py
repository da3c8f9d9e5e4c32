"""Report missing, broken and short videos of each list: a table, and a JSON file."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmkd.commands.prepare.official_lists import Entry, VideoList
from mmkd.datasets.video_readers.inspection import FileState
from mmkd.errors import printable

MIN_FRAMES = 17
"""The official sampler of VSPP draws one of ``frames - 16`` start frames."""
COLUMNS = ('listed', 'found', 'missing', 'unreadable', 'too short', 'written')
NAMES_SHOWN = 3


@dataclass
class Verdict:
    """What became of the videos of one list."""

    source: VideoList  # the list as the official files have it
    # listed videos that are not on disk
    missing: list[str] = field(default_factory=list)
    # paths on disk, each with the reason
    unreadable: dict[str, str] = field(default_factory=dict)
    # paths on disk, each with its number of frames. An evaluation list keeps them.
    too_short: dict[str, int] = field(default_factory=dict)
    kept: list[Entry] = field(default_factory=list)  # lines to write, paths as on disk

    @property
    def file_name(self) -> str:
        """Name of the list file."""
        return f'{self.source.name}.txt'

    @property
    def lost(self) -> int:
        """Number of videos that are missing or unreadable."""
        return len(self.missing) + len(self.unreadable)


def judge(
    source: VideoList,
    found: Mapping[str, str | None],
    states: Mapping[str, FileState] | None,
    min_frames: int = MIN_FRAMES,
) -> Verdict:
    """Sort the videos of a list, each ``found`` on disk or not.

    Args:
        source: The list.
        found: Listed path to path on disk, or None.
        states: Path on disk to what opening it showed; None if none was opened.
        min_frames: Fewer frames are too short for training.
    """
    verdict = Verdict(source)
    for entry in source.entries:
        path = found[entry.path]
        if path is None:
            verdict.missing.append(entry.path)
            continue
        short = False
        if states is not None:
            state = states[path]
            if state.error:
                verdict.unreadable[path] = state.error
                continue
            if short := state.frames < min_frames:
                verdict.too_short[path] = state.frames
        if source.evaluation or not short:
            verdict.kept.append(Entry(path, entry.label))
    return verdict


@dataclass(frozen=True)
class Report:
    """The outcome of a preparation."""

    dataset: str
    videos: str
    min_frames: int  # fewer frames counted as too short
    scanned: bool  # whether the files were opened
    verdicts: Sequence[Verdict]  # one per list
    # videos with fewer frames than their container claims, as '73 of 141 frames'. They
    # are kept.
    cut_off: Mapping[str, str]
    notes: Sequence[str]  # what else the user should know
    # lists that are written, by file name. Empty if writing was refused.
    texts: Mapping[str, str]

    @property
    def complete(self) -> bool:
        """Whether every listed video is there and can be read."""
        return not any(verdict.lost for verdict in self.verdicts)

    def counts(self, verdict: Verdict) -> tuple[int, ...]:
        """Return the numbers of one list in the order of :data:`COLUMNS`."""
        listed = len(verdict.source.entries)
        return (
            listed,
            listed - len(verdict.missing),
            len(verdict.missing),
            len(verdict.unreadable),
            len(verdict.too_short),
            self.texts.get(verdict.file_name, '').count('\n'),
        )

    def as_json(self) -> dict[str, Any]:
        """Return everything, every name included, for ``report.json``."""
        lists = {}
        for verdict in self.verdicts:
            listed, found, *_, written = self.counts(verdict)
            text = self.texts.get(verdict.file_name)
            lists[verdict.file_name] = {
                'listed': listed,
                'found': found,
                'written': written,
                'sha256': text and hashlib.sha256(text.encode()).hexdigest(),
                'missing': verdict.missing,
                'unreadable': verdict.unreadable,
                'too_short': verdict.too_short,
            }
        return {
            'dataset': self.dataset,
            'videos': self.videos,
            'min_frames': self.min_frames,
            'scanned': self.scanned,
            'notes': list(self.notes),
            'cut_off': dict(self.cut_off),
            'lists': lists,
        }

    def table(self) -> str:
        """Return the numbers as an aligned table, the first names, and the notes."""
        width = max(len(verdict.file_name) for verdict in self.verdicts)
        lines = [' ' * width + ''.join(f'{column:>11}' for column in COLUMNS)]
        for verdict in self.verdicts:
            numbers = ''.join(f'{count:>11}' for count in self.counts(verdict))
            lines.append(f'{verdict.file_name:<{width}}{numbers}')
        return '\n'.join(lines + self._examples() + [f'note: {n}' for n in self.notes])

    def _examples(self) -> list[str]:
        kinds: dict[str, list[str]] = {
            kind: [] for kind in ('missing', 'unreadable', 'too short', 'cut off')
        }
        for verdict in self.verdicts:
            kinds['missing'] += verdict.missing
            kinds['unreadable'] += [f'{p} ({w})' for p, w in verdict.unreadable.items()]
            short = verdict.too_short.items()
            kinds['too short'] += [f'{path} ({n} frames)' for path, n in short]
        kinds['cut off'] = [f'{path} ({what})' for path, what in self.cut_off.items()]
        return [_first_names(kind, names) for kind, names in kinds.items() if names]


def _first_names(kind: str, names: Iterable[str]) -> str:
    unique = [printable(name) for name in dict.fromkeys(names)]
    more = ', ...' if len(unique) > NAMES_SHOWN else ''
    return f'{kind} ({len(unique)}): {", ".join(unique[:NAMES_SHOWN])}{more}'
