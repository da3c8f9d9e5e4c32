"""Read official text files so that every fault is named by file and line."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmkd.errors import UserError


def read_text(path: Path, remedy: str = '') -> str:
    """Return a text file as it is, less a byte-order mark.

    Args:
        path: The file.
        remedy: What to do if it is not there.

    Raises:
        UserError: If the file is absent, unreadable or not UTF-8.
    """
    try:
        return path.read_text(encoding='utf-8-sig')
    except FileNotFoundError:
        raise UserError(f'{path} is not there', remedy) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'{path} cannot be read: {error}', remedy) from None


def read_lines(path: Path, remedy: str = '') -> Iterator[tuple[int, str]]:
    """Yield line number and line, stripped of CR, LF and blanks; empty lines not.

    Raises:
        UserError: As :func:`read_text`.
    """
    for number, line in enumerate(read_text(path, remedy).splitlines(), start=1):
        if line.strip():
            yield number, line.strip()


def malformed(path: Path, number: int, what: str) -> UserError:
    """Return the error that names a line."""
    remedy = 'Take the official file again, or mend that line.'
    return UserError(f'{path}:{number}: {what}', remedy)


def fields_of(path: Path, number: int, line: str, names: Sequence[str]) -> list[str]:
    """Split a line on blanks into exactly as many fields as there are ``names``.

    Raises:
        UserError: If it has more or fewer.
    """
    fields = line.split()
    if len(fields) != len(names):
        expected = ' '.join(f'<{name}>' for name in names)
        raise malformed(path, number, f'expected {expected!r}, found {line!r}')
    return fields


def read_csv(
    path: Path, columns: Sequence[str], remedy: str = ''
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and row of a CSV file with a header.

    Args:
        path: The file.
        columns: Columns that must be there and filled in every row.
        remedy: What to do if the file is not there.

    Raises:
        UserError: If the file or a column is absent or a row is incomplete.
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
