"""Read lists of videos, in one way for every tool."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmkd.errors import UserError, printable

# Characters of a line that a message shows.
_SHOWN = 80
_UTF8_MARK, _UTF16_MARKS = b'\xef\xbb\xbf', (b'\xff\xfe', b'\xfe\xff')
_SEPARATORS = {
    ' ': 'a blank',
    '\t': 'a tab',
    ',': 'a comma',
    ';': 'a semicolon',
    '|': 'a bar',
}
_OTHER = re.compile(r'(?P<path>.*?)\s*(?P<mark>[,;|\s\u200b\u2060\ufeff])\s*-?\d+$')
_NUMBER = re.compile(r'[+-]?[0-9]{1,18}')
# A scheme with its slashes, or one of FFmpeg's protocols that needs none.
_PROTOCOL = re.compile(
    r'[a-z][a-z0-9+.-]+://|'
    r'(file|concat|concatf|subfile|data|crypto|pipe|fd|cache|async|https?|httpproxy|'
    r'ftp|sftp|tcp|udp|udplite|unix|tls|dtls|rtp|rtsp|rtmp[a-z]*|srtp|srt|mms[a-z]*|'
    r'hls|ipfs|ipns|gopher|gophers|icecast|smb|bluray|md5|tee|prompeg)[:,]',
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ListFormat:
    """Format of the lines of a list.

    Attributes:
        delimiter: Between path and label.
        multi_class: Whether a line may hold several labels.
        num_classes: Labels must lie in ``[0, num_classes)``. None: pre-training, which
            uses no labels, so that -1 (unlabelled) is allowed too.
    """

    delimiter: str = ' '
    multi_class: bool = False
    num_classes: int | None = None


@dataclass(frozen=True)
class Line:
    """One line of a list.

    Attributes:
        number: Its number in the file, from 1.
        path: Path of the video, below the folder of videos.
        labels: Its labels; -1 where the line has none, as MMAction2 takes it.
        text: The whole line, without the end and blanks around it.
    """

    number: int
    path: str
    labels: tuple[int, ...]
    text: str


def read_list(
    path: str | Path, form: ListFormat | None = None, hint: str = ''
) -> list[Line]:
    """Read a list of ``path label`` lines as MMAction2's ``VideoDataset`` does.

    Lines may end in LF or CRLF. What that class would take for something else is
    refused, in every tool alike: a byte-order mark, another delimiter, quotes, an empty
    line, a label that is no number or out of range, two labels for one video, an
    address or protocol instead of a path.

    Args:
        path: The list.
        form: How to read the lines; None for :class:`ListFormat` as it is.
        hint: What to do if it is empty or not there.

    Raises:
        UserError: At the first line that is wrong, with its number.
    """
    form, where = form or ListFormat(), printable(path)
    texts = _lines(path, hint)
    if not any(text.strip() for text in texts):
        raise UserError(f'{where} is empty', hint)
    lines = [
        _line(f'{where}, line {number}', number, text.strip(), form)
        for number, text in enumerate(texts, 1)
    ]
    _check_labels_agree(where, lines)
    return lines


def unique_paths(lines: Sequence[Line]) -> list[str]:
    """Return the paths of lines, each once, in their order."""
    return list(dict.fromkeys(line.path for line in lines))


def _lines(path: str | Path, hint: str) -> list[str]:
    """Return the lines as MMAction2 splits them."""
    name = printable(path)
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise UserError(f'{name} is no regular file', 'Name a list of videos.')
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise UserError(f'{name} is not there', hint) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise UserError(f'{name} cannot be read: {reason}') from None
    save = 'Save it as UTF-8 without a byte-order mark.'
    if data.startswith(_UTF8_MARK):
        raise UserError(f'{name} begins with a byte-order mark', save)
    if data.startswith(_UTF16_MARKS):
        raise UserError(f'{name} cannot be read: it is UTF-16, not UTF-8', save)
    try:
        text = data.decode('utf-8')
    except UnicodeDecodeError:
        raise UserError(f'{name} cannot be read: it is not UTF-8', save) from None
    return text.removesuffix('\n').split('\n')


def _line(where: str, number: int, text: str, form: ListFormat) -> Line:
    """Return what a line says, after checking it."""
    path, *labels = text.split(form.delimiter)
    several = form.multi_class and all(_NUMBER.fullmatch(label) for label in labels)
    other = not labels and _other_delimiter(text, form)
    if not path or other or (len(labels) > 1 and not several):
        raise _malformed(where, text, form)
    _check_path(where, path)
    # MMAction2 takes a line without a label as label -1.
    values = tuple(_label(where, x, form.num_classes) for x in labels or ['-1'])
    return Line(number, path, values, text)


def _malformed(where: str, text: str, form: ListFormat) -> UserError:
    message = f'{where}: expected "path{form.delimiter}label", found {_shown(text)}'
    if not text:
        return UserError(message, 'Remove the line.')
    wanted = _SEPARATORS.get(form.delimiter, repr(form.delimiter))
    other = _other_delimiter(text, form)
    if other and form.delimiter not in text:
        return UserError(
            f'{message}: {_in_words(other)} stands where {wanted} is expected',
            f'Put {wanted} there, or name the delimiter of the list.',
        )
    if text[0] in '"\'':
        return UserError(
            f'{message}: the path is in quotes', 'Write it without quotes.'
        )
    return UserError(
        message,
        'A path must not contain the delimiter: use another (delimiter of the data '
        "set, --delimiter of the tool), e.g. ';'.",
    )


def _other_delimiter(text: str, form: ListFormat) -> str:
    """Return what stands between path and label if that is not the delimiter."""
    match = _OTHER.match(text)
    mark = match.group('mark') if match and match.group('path') else ''
    return '' if mark == form.delimiter else mark


def _in_words(mark: str) -> str:
    return _SEPARATORS.get(mark, f'a blank of another kind (U+{ord(mark):04X})')


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + '...')


def _check_path(where: str, path: str) -> None:
    shown = _shown(path)
    if _PROTOCOL.match(path):
        raise UserError(
            f'{where}: {shown} is an address or protocol, not a path',
            'List files that are on this machine.',
        )
    if path[0] == '\ufeff':
        hint = 'Save the list without it.'
        raise UserError(f'{where}: a byte-order mark is before the path', hint)
    if '\0' in path:
        raise UserError(f'{where}: {shown} holds a null character', 'Correct the path.')
    if len(path) > 1 and path[0] in '"\'' and path[-1] == path[0]:
        raise UserError(f'{where}: {shown} is in quotes', 'Write it without quotes.')
    if _OTHER.match(f'x{path[-1]}0'):
        raise UserError(
            f'{where}: {_in_words(path[-1])} is at the end of the path {shown}',
            'Remove it.',
        )


def _label(where: str, text: str, num_classes: int | None) -> int:
    if not _NUMBER.fullmatch(text):
        raise UserError(
            f'{where}: the label {_shown(text)} is not a whole number',
            'Give the index of the class, from 0.',
        )
    label = int(text)
    if num_classes is None:
        wrong, bounds = label < -1, '-1 or more'
        hint = 'Unlabelled clips have the label -1.'
    else:
        wrong, bounds = not 0 <= label < num_classes, f'0 to {num_classes - 1}'
        hint = 'Correct the list or model.cls_head.num_classes.'
        hint = 'Use a list with labels.' if label == -1 else hint
    if wrong:
        message = f'{where}: the class {label} is out of range ({bounds})'
        raise UserError(message, hint)
    return label


def _check_labels_agree(where: str, lines: Sequence[Line]) -> None:
    """Refuse a video that is listed with other labels than before."""
    first: dict[str, Line] = {}
    for line in lines:
        before = first.setdefault(os.path.normpath(line.path), line)
        if sorted(before.labels) != sorted(line.labels):
            here, there = (' '.join(map(str, x.labels)) for x in (line, before))
            raise UserError(
                f'{where}, line {line.number}: {printable(line.path)} has the label '
                f'{here}, but {there} in line {before.number}',
                'Keep one of the two lines.',
            )
