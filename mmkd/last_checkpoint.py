"""Which checkpoint a run left last, and whether it is whole."""

import os
import re
import sys
import zipfile
import zlib
from pathlib import Path

from mmkd.errors import UserError
from mmkd.files import write_text

#: File in a work folder that names the checkpoint to go on from.
POINTER = 'last_checkpoint'
#: Checkpoint of a run that was told to stop in the middle of an epoch.
INTERRUPTED = 'interrupted.pth'


def point_to(work_dir: str, checkpoint: str) -> None:
    """Name a checkpoint as the last one, seen from the folder of the run.

    A run that is moved, or mounted elsewhere, so finds it again. The file is written
    whole or not at all.

    Args:
        work_dir: Folder of the run.
        checkpoint: The checkpoint; an address (``s3://...``) is kept as it is.

    Raises:
        UserError: If the folder cannot be written to.
    """
    remote = '://' in checkpoint
    name = checkpoint if remote else os.path.relpath(checkpoint, work_dir)
    write_text(Path(work_dir) / POINTER, name)


def latest_checkpoint(work_dir: str) -> str | None:
    """Return the newest checkpoint of a run that can be read to its end.

    That is the one that ``last_checkpoint`` names. Where it is damaged or gone, one
    line on stderr says so, and the newest whole one in the folder is taken.

    Args:
        work_dir: Folder of the run.

    Returns:
        The checkpoint; None if the run left none.

    Raises:
        UserError: If there are checkpoints, but none is whole.
    """
    named = _named(Path(work_dir))
    if named is not None and '://' in str(named):
        return str(named)
    candidates = [] if named is None else [Path(named)]
    candidates += [p for p in _newest_first(Path(work_dir)) if p not in candidates]
    damaged: list[Path] = []
    for candidate in candidates:
        if is_whole(candidate):
            if damaged:
                _warn(f'{damaged[0]} is damaged or gone; going on from {candidate}')
            return str(candidate)
        damaged.append(candidate)
    existing = [path for path in damaged if path.exists()]
    if existing:
        raise UserError(
            f'no checkpoint in {work_dir} can be read to its end ({existing[0].name} '
            'and all before it are damaged)',
            'Remove them to start anew, or name another one after --resume.',
        )
    return None


def is_whole(path: Path) -> bool:
    """Tell whether a checkpoint is there and each of its parts has the stored sum.

    Args:
        path: File of ``torch.save``: a zip archive with a CRC-32 for each tensor. Of
            one in the older form nothing can be said but that it is not empty.
    """
    if path.is_dir():  # DeepSpeed's; its files are not for us to judge
        return True
    try:
        with path.open('rb') as file:
            if file.read(4) != b'PK\x03\x04':
                # The older form is a bare pickle; no zip is to be found in it.
                return file.seek(0) == 0 and file.read(2) in (b'\x80\x02', b'\x80\x03')
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError):
        return False


def _named(work_dir: Path) -> Path | str | None:
    """Return what the pointer names, absolute or seen from the folder."""
    try:
        text = (work_dir / POINTER).read_text(encoding='utf-8').strip()
    except (OSError, UnicodeDecodeError):
        return None
    if not text:
        return None
    if '://' in text:
        return text
    # MMEngine writes an absolute path, which is wrong once the folder was moved.
    path = work_dir / text
    return path if path.exists() else work_dir / path.name


def _newest_first(work_dir: Path) -> list[Path]:
    """Return the checkpoints from which a run can go on, by the numbers in their names.

    Not by their times, which a copy of the folder need not keep.
    """
    numbers = {}
    for path in work_dir.glob('*.pth'):
        named = re.fullmatch(r'(?:epoch|iter)_(\d+)\.pth', path.name)
        if named or path.name == INTERRUPTED:
            numbers[path] = int(named.group(1)) if named else -1
    return sorted(numbers, key=lambda path: numbers[path], reverse=True)


def _warn(text: str) -> None:
    """Say it once, however many processes look."""
    rank = os.environ.get('RANK', os.environ.get('SLURM_PROCID', '0'))
    if rank == '0':
        print(f'warning: {text}', file=sys.stderr, flush=True)
