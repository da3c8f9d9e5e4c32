"""What has been done already: one line per video, added as it is done."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

from mmkd.datasets.transcoding.settings import Settings
from mmkd.datasets.transcoding.video import Written
from mmkd.files import sha256


@dataclass(frozen=True)
class Origin:
    """The file that a video was written from.

    Attributes:
        bytes: Its size.
        changed: When it was changed last, in nanoseconds.
        sha256: Its content.
    """

    bytes: int
    changed: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> 'Origin':
        """Read and hash a file."""
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns, sha256(path))

    def is_of(self, path: Path) -> bool:
        """Tell whether a file is still the one; it is read only if it looks changed."""
        status = path.stat()
        if status.st_size != self.bytes:
            return False
        return status.st_mtime_ns == self.changed or sha256(path) == self.sha256


@dataclass(frozen=True)
class Entry:
    """One video that was written.

    Attributes:
        name: Path of the source in the list.
        settings: How it was written.
        origin: From what.
        written: What became of it.
    """

    name: str
    settings: Settings
    origin: Origin
    written: Written


class Journal:
    """A file of one JSON object per line, which an interruption cannot spoil.

    Args:
        path: The file. It need not be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, Entry] = {}
        self._lock = Lock()
        text = path.read_text(encoding='utf-8') if path.exists() else ''
        for line in text.splitlines():
            entry = _parsed(line)
            if entry is not None:
                self.entries[entry.name] = entry
        self._ends_well = not text or text.endswith('\n')

    def add(self, entry: Entry) -> None:
        """Remember an entry, on the disk too; several threads may call this."""
        line = json.dumps(asdict(entry), ensure_ascii=False) + '\n'
        with self._lock, self.path.open('a', encoding='utf-8') as file:
            self.entries[entry.name] = entry
            # A line that an interruption cut short is left to itself.
            file.write(line if self._ends_well else '\n' + line)
            file.flush()
            os.fsync(file.fileno())
            self._ends_well = True

    def holds(self, name: str, settings: Settings, source: Path, target: Path) -> bool:
        """Tell whether a video need not be written again."""
        entry = self.entries.get(name)
        return (
            entry is not None
            and entry.settings == settings
            and target.is_file()
            and target.stat().st_size == entry.written.bytes
            and entry.origin.is_of(source)
        )


def _parsed(line: str) -> Entry | None:
    """Return the entry of a line; None if it is damaged."""
    try:
        value: Mapping = json.loads(line)
        return Entry(
            value['name'],
            Settings(**value['settings']),
            Origin(**value['origin']),
            Written(**value['written']),
        )
    except (ValueError, KeyError, TypeError):
        return None
