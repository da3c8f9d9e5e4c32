"""Lists of clips: every line well formed, every file there, every class in range."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from mmkd.errors import UserError

# Listing a folder costs about as much as asking for this many of its files.
_LISTING_PAYS = 20


@dataclass(frozen=True)
class ListFormat:
    """How the lines of a list are to be read.

    Attributes:
        delimiter: Between path and label.
        multi_class: Whether a line may hold several labels.
        num_classes: Labels must lie in ``[0, num_classes)``. None: pre-training, which
            uses no labels, so that -1 (unlabelled) is allowed too.
    """

    delimiter: str = ' '
    multi_class: bool = False
    num_classes: int | None = None


def check_list(path: str, folder: str, form: ListFormat, remedy: str = '') -> int:
    """Check a list of clips completely.

    Existence is asked folder by folder: 240 000 clips in 400 folders, as Kinetics-400
    has them, took 0.7 s on a local disk.

    Args:
        path: List with lines ``path label``.
        folder: What the paths are relative to.
        form: How to read the lines.
        remedy: What to do when a clip is missing.

    Returns:
        Number of clips.

    Raises:
        UserError: At the first line that is wrong, with its number.
    """
    lines = _lines(path)
    if not any(line.strip() for line in lines):
        raise UserError(f'{path} is empty', remedy)
    clips = [_clip(f'{path}, line {n}', line, form) for n, line in enumerate(lines, 1)]
    missing = _missing(clips, folder)
    if missing:
        first = missing[0]
        others = f' and {len(missing) - 1} others' if len(missing) > 1 else ''
        raise UserError(
            f'{path}, line {first + 1}: {os.path.join(folder, clips[first])}{others} '
            f'of {len(clips)} clips do{"" if others else "es"} not exist',
            remedy,
        )
    return len(clips)


def _lines(path: str) -> list[str]:
    """Return the lines as MMAction2 splits them."""
    try:
        with open(path, encoding='utf-8') as file:
            return file.read().removesuffix('\n').split('\n')
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, 'strerror', None) or 'it is not UTF-8'
        raise UserError(f'{path} cannot be read: {reason}') from None


def _clip(where: str, line: str, form: ListFormat) -> str:
    """Return the path in a line after checking the line."""
    clip, *labels = line.strip().split(form.delimiter)
    # MMAction2 takes a line without a label as label -1.
    if not clip or (len(labels) > 1 and not form.multi_class):
        raise UserError(
            f'{where}: expected "path{form.delimiter}label", found {line!r}',
            'A path must not contain the delimiter.' if clip else 'Remove the line.',
        )
    for label in labels or ['-1']:
        _check_label(where, label, form.num_classes)
    return clip


def _check_label(where: str, text: str, num_classes: int | None) -> None:
    try:
        label = int(text)
    except ValueError:
        raise UserError(
            f'{where}: the label {text!r} is not a whole number',
            'Give the index of the class, from 0.',
        ) from None
    if num_classes is None:
        low, high, remedy = -1, label, 'Unlabelled clips have the label -1.'
    elif label == -1:
        low, high, remedy = 0, num_classes - 1, 'Use a list with labels.'
    else:
        low, high = 0, num_classes - 1
        remedy = 'Correct the list or model.cls_head.num_classes.'
    if not low <= label <= high:
        bounds = f'{low} to {high}' if num_classes is not None else f'{low} or more'
        raise UserError(
            f'{where}: the class {label} is out of range ({bounds})', remedy
        )


def _missing(clips: Sequence[str], folder: str) -> list[int]:
    """Return the positions of the clips that are not there."""
    by_folder: dict[str, list[int]] = defaultdict(list)
    for position, clip in enumerate(clips):
        by_folder[os.path.dirname(clip)].append(position)
    missing: list[int] = []
    for parent, positions in by_folder.items():
        missing += _missing_in(os.path.join(folder, parent), positions, clips)
    return sorted(missing)


def _missing_in(
    parent: str, positions: Sequence[int], clips: Sequence[str]
) -> list[int]:
    names = [os.path.basename(clips[position]) for position in positions]
    if len(positions) < _LISTING_PAYS:
        there = {name for name in names if os.path.isfile(os.path.join(parent, name))}
    else:
        there = set(os.listdir(parent)) if os.path.isdir(parent) else set()
    return [p for p, name in zip(positions, names, strict=True) if name not in there]
