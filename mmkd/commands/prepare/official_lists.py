"""What a data set's official files ask for; every fault is named by file and line."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmkd.commands.prepare.videos import path_key
from mmkd.errors import UserError
from mmkd.files import read_small_text


@dataclass(frozen=True)
class Entry:
    """One line of a list."""

    path: str  # path below the folder of videos, with /
    label: int  # 0-based class index, or -1 in a list that is for pre-training only


@dataclass(frozen=True)
class VideoList:
    """One list that is to be written."""

    name: str  # file name without .txt, for instance 'train_split1'
    entries: tuple[Entry, ...]  # its lines, in the order of the official file
    # whether numbers are measured on it. Such a list keeps videos that are too short
    # for training.
    evaluation: bool = False


@dataclass(frozen=True)
class Plan:
    """All lists of one data set."""

    dataset: str  # name of the data set, for instance 'ucf101'
    classes: tuple[str, ...]  # class names; the position is the label
    lists: tuple[VideoList, ...]
    # two paths with the same key name the same video
    key: Callable[[str], str] = path_key
    notes: tuple[str, ...] = ()  # what the user should know about the official files

    def paths(self) -> list[str]:
        """Return every path that some list names, once, in the order of the lists."""
        return list(dict.fromkeys(e.path for part in self.lists for e in part.entries))


def read_text(path: Path, remedy: str = '') -> str:
    """Return a text file as it is, less a byte-order mark.

    Raises:
        UserError: If the file is absent, unreadable, no regular file or not UTF-8.
    """
    try:
        return read_small_text(path).removeprefix('\ufeff')
    except FileNotFoundError:
        raise UserError(f'{path} is not there', remedy) from None
    except (OSError, ValueError) as error:  # no regular file, too large, no UTF-8
        raise UserError(f'{path} cannot be read: {error}', remedy) from None


def read_lines(path: Path, remedy: str = '') -> Iterator[tuple[int, str]]:
    """Yield line number and line, stripped of CR, LF and blanks; empty lines not.

    Raises:
        UserError: As :func:`read_text`.
    """
    for number, line in enumerate(read_text(path, remedy).splitlines(), start=1):
        if line.strip():
            yield number, line.strip()


def read_fields(
    path: Path, names: Sequence[str], remedy: str = ''
) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and as many fields, split at blanks, as there are ``names``.

    Raises:
        UserError: As :func:`read_text`, and if a line has more fields or fewer.
    """
    for number, line in read_lines(path, remedy):
        fields = line.split()
        if len(fields) != len(names):
            expected = ' '.join(f'<{name}>' for name in names)
            raise malformed(path, number, f'expected {expected!r}, found {line!r}')
        yield number, fields


def read_csv(
    path: Path, columns: Sequence[str], remedy: str = ''
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and row of a CSV file with a header.

    Raises:
        UserError: As :func:`read_text`, and if one of ``columns`` is absent, or empty
            in some row.
    """
    reader = csv.DictReader(read_text(path, remedy).splitlines())
    absent = [name for name in columns if name not in (reader.fieldnames or [])]
    if absent:
        raise malformed(path, 1, f'the header lacks {", ".join(absent)}')
    try:
        for row in reader:
            empty = [name for name in columns if not row[name]]
            if empty:
                raise malformed(path, reader.line_num, f'no value for {empty[0]}')
            yield reader.line_num, row
    except csv.Error as error:
        raise malformed(path, reader.line_num, str(error)) from None


def malformed(path: Path, number: int, what: str) -> UserError:
    """Return the error that names a line."""
    remedy = 'Take the official file again, or mend that line.'
    return UserError(f'{path}:{number}: {what}', remedy)
