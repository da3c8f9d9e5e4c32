"""Say what was found and what not: a short table, and every name in a JSON file."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmkd.datasets.preparation.judging import Verdict

COLUMNS = ('listed', 'found', 'missing', 'unreadable', 'too short', 'written')
NAMES_SHOWN = 3


@dataclass(frozen=True)
class Report:
    """The outcome of a preparation.

    Attributes:
        dataset: Name of the data set.
        videos: The folder of videos.
        min_frames: Fewer frames counted as too short.
        scanned: Whether the files were opened.
        verdicts: One per list.
        cut_off: Videos with fewer frames than their container claims, as
            ``'73 of 141 frames'``. They are kept.
        notes: What else the user should know.
        texts: Lists that are written, by file name. Empty if writing was refused.
    """

    dataset: str
    videos: str
    min_frames: int
    scanned: bool
    verdicts: Sequence[Verdict]
    cut_off: Mapping[str, str]
    notes: Sequence[str]
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
        return {
            'dataset': self.dataset,
            'videos': self.videos,
            'min_frames': self.min_frames,
            'scanned': self.scanned,
            'notes': list(self.notes),
            'cut_off': dict(self.cut_off),
            'lists': {v.file_name: self._list_as_json(v) for v in self.verdicts},
        }

    def _list_as_json(self, verdict: Verdict) -> dict[str, Any]:
        listed, found, *_, written = self.counts(verdict)
        text = self.texts.get(verdict.file_name)
        return {
            'listed': listed,
            'found': found,
            'written': written,
            'sha256': text and hashlib.sha256(text.encode()).hexdigest(),
            'missing': verdict.missing,
            'unreadable': verdict.unreadable,
            'too_short': verdict.too_short,
        }

    def table(self) -> str:
        """Return the numbers as an aligned table, the first names, and the notes."""
        names = [verdict.file_name for verdict in self.verdicts]
        width = max(len(name) for name in names)
        lines = [' ' * width + ''.join(f'{column:>11}' for column in COLUMNS)]
        for name, verdict in zip(names, self.verdicts, strict=True):
            numbers = ''.join(f'{count:>11}' for count in self.counts(verdict))
            lines.append(f'{name:<{width}}{numbers}')
        return '\n'.join(lines + self._examples() + [f'note: {n}' for n in self.notes])

    def _examples(self) -> list[str]:
        every = self.verdicts
        kinds: dict[str, Iterable[str]] = {
            'missing': (path for v in every for path in v.missing),
            'unreadable': (
                f'{path} ({why})' for v in every for path, why in v.unreadable.items()
            ),
            'too short': (
                f'{path} ({n} frames)' for v in every for path, n in v.too_short.items()
            ),
            'cut off': (f'{path} ({what})' for path, what in self.cut_off.items()),
        }
        return [
            line for kind, names in kinds.items() if (line := _first_names(kind, names))
        ]


def _first_names(kind: str, names: Iterable[str]) -> str:
    unique = list(dict.fromkeys(names))
    if not unique:
        return ''
    more = ', ...' if len(unique) > NAMES_SHOWN else ''
    return f'{kind} ({len(unique)}): {", ".join(unique[:NAMES_SHOWN])}{more}'
