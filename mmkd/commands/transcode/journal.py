"""Keep a journal of finished videos, one line each, to go on after a stop."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

from mmkd.commands.transcode.video import Settings, Written
from mmkd.files import open_own, open_regular, sha256


@dataclass(frozen=True)
class Origin:
    """The file that a video was written from."""

    bytes: int  # its size
    changed: int  # when it was changed last, in nanoseconds
    sha256: str  # its content

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
    """One video that was written."""

    name: str  # path of the source in the list
    settings: Settings  # how it was written
    origin: Origin  # from what
    written: Written  # what became of it


class Journal:
    """A file of one JSON object per line, which an interruption cannot spoil.

    Args:
        path: The file. It need not be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, Entry] = {}
        self._lock = Lock()
        text = ''
        if path.exists():
            with open_regular(path) as file:  # a pipe would be waited for without end
                text = file.read().decode('utf-8', errors='replace')
        for entry in map(_parsed, text.splitlines()):
            if entry is not None:
                self.entries[entry.name] = entry
        self._ends_well = not text or text.endswith('\n')

    def add(self, entry: Entry) -> None:
        """Remember an entry, on the disk too; several threads may call this."""
        line = json.dumps(asdict(entry), ensure_ascii=False) + '\n'
        with self._lock, open(self.path, 'a', encoding='utf-8', opener=_own) as file:
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


def _own(path: str, flags: int) -> int:
    """Open the journal, whose name others can foresee."""
    return open_own(Path(path), flags)


def _parsed(line: str) -> Entry | None:
    """Return the entry of a line; None if it is damaged."""
    try:
        value = json.loads(line)
        return Entry(
            value['name'],
            Settings(**value['settings']),
            Origin(**value['origin']),
            Written(**value['written']),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
