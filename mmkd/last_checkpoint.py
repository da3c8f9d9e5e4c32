"""Find the last complete checkpoint of a run."""

import io
import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

from mmkd.errors import UserError
from mmkd.files import write_text
from mmkd.processes import is_first_process
from mmkd.tensor_files import look_into, read_once

#: File in a work folder that names the checkpoint to go on from.
POINTER = 'last_checkpoint'
#: Checkpoint of a run that was told to stop in the middle of an epoch.
INTERRUPTED = 'interrupted.pth'
_NUMBERED = r'(?:epoch|iter)_(\d+)\.pth'
_ADDRESS = re.compile(r'[\w+.-]{2,}:')  # one letter would be a drive
_LONGEST = 4096  # bytes of a pointer


def point_to(work_dir: str, checkpoint: str) -> None:
    """Write ``last_checkpoint``, with a path relative to the folder of the run.

    A run that is moved, or mounted elsewhere, so finds it again. The file is written
    whole or not at all.

    Raises:
        UserError: If the folder cannot be written to.
    """
    remote = '://' in checkpoint
    name = checkpoint if remote else os.path.relpath(checkpoint, work_dir)
    write_text(Path(work_dir) / POINTER, name)


def latest_checkpoint(work_dir: str, out_dir: str | None = None) -> str | None:
    """Return the newest checkpoint of a run that can be read to its end.

    That is the one that ``last_checkpoint`` names. Where it is damaged or gone, or the
    pointer is empty or no text, one line on stderr says what was found, and the whole
    one with the most steps in the folder is taken.

    A pointer never leads out of the folder: a work folder may be somebody else's. An
    absolute path, of a folder that was moved, counts by its name only.

    Args:
        work_dir: Folder of the run.
        out_dir: Where the config has checkpoints written, see
            :func:`checkpoint_folder`; a pointer may lead there as well. Defaults to
            None: to the folder of the run.

    Returns:
        The checkpoint; None if the run left none.

    Raises:
        UserError: If there are checkpoints, but none is whole; or the pointer names an
            address, or a path outside these folders.
    """
    folder = Path(work_dir)
    named, complaint = _named(folder, out_dir)
    if isinstance(named, str):
        return named
    candidates = [] if named is None else [named]
    found = [path for one in _local(folder, out_dir) for path in _resumable(one)]
    rest = [path for path in found if path not in candidates]
    damaged: list[Path] = []
    for candidate in [*candidates, *sorted(rest, key=_by_name, reverse=True)]:
        if is_whole(candidate):
            if (damaged or complaint) and rest:
                # Names do not tell: interrupted.pth has no number, and may be the
                # newest.
                others = [path for path in rest if path not in damaged]
                candidate = max([candidate, *others], key=_steps)
            if damaged:
                complaint = complaint or f'{damaged[0]} is damaged or gone'
            if complaint:
                _warn(f'{complaint}; going on from {candidate}')
            return str(candidate)
        damaged.append(candidate)
    existing = [path for path in damaged if path.exists()]
    if existing:
        raise UserError(
            f'no checkpoint in {work_dir} can be read to its end ({existing[0].name} '
            'and all before it are damaged)',
            'Remove them to start again, or name another one after --resume.',
        )
    if complaint:
        _warn(f'{complaint}, and there is no checkpoint in {work_dir}')
    return None


def named_checkpoint(work_dir: str, out_dir: str | None = None) -> str | None:
    """Return what ``last_checkpoint`` names, unread; None if it names no file.

    Args:
        work_dir: Folder of the run.
        out_dir: See :func:`latest_checkpoint`.
    """
    try:
        named, _ = _named(Path(work_dir), out_dir)
    except UserError:  # it leads elsewhere
        return None
    return None if named is None else str(named)


def checkpoint_folder(cfg: Any) -> str | None:
    """Return where the config of a run has its checkpoints written."""
    hook = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
    out_dir = hook.get('out_dir') if hasattr(hook, 'get') else None
    if not isinstance(out_dir, str) or not cfg.get('work_dir'):
        return None
    # As MMEngine's CheckpointHook does.
    return '/'.join([out_dir.rstrip('/'), Path(cfg['work_dir']).name])


def is_whole(path: Path) -> bool:
    """Tell whether a checkpoint is there and each of its parts has the stored sum.

    Args:
        path: File of ``torch.save``: a zip archive with a CRC-32 for each tensor. Of
            one in the older form nothing can be said but that it is not empty.
    """
    if path.is_dir():  # DeepSpeed's; its files are not for us to judge
        return True
    try:
        data = read_once(path)
        if not data.startswith(b'PK\x03\x04'):
            # The older form is a bare pickle; no zip is to be found in it.
            return data[:2] in (b'\x80\x02', b'\x80\x03')
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.testzip() is None
    except Exception:  # zipfile raises many kinds on arbitrary bytes
        return False


def _named(work_dir: Path, out_dir: str | None) -> tuple[Path | str | None, str]:
    """Return what the pointer names, and what is wrong with it."""
    pointer = work_dir / POINTER
    try:
        text = read_once(pointer)[:_LONGEST].decode().strip()
    except FileNotFoundError:
        return None, ''
    except UserError as error:
        return None, error.what
    except UnicodeDecodeError:
        return None, f'{pointer} is no text'
    if not text or not text.isprintable():
        return None, f'{pointer} {"is empty" if not text else "is no path"}'
    if _ADDRESS.match(text):
        if out_dir and '://' in out_dir and text.startswith(f'{out_dir}/'):
            return text, ''
        raise UserError(
            f'{pointer} names an address, {text}, which is not followed',
            'If you know it, give it yourself: --resume ADDRESS.',
        )
    path = work_dir / text
    if os.path.isabs(text) and not _is_inside(path, work_dir, out_dir):
        # MMEngine writes an absolute path, which is wrong once the folder was moved.
        path = work_dir / path.name
    if not _is_inside(path, work_dir, out_dir):
        raise UserError(
            f'{pointer} leads out of its folder, to {text}, and is not followed',
            'If you know that file, name it yourself: --resume PATH.',
        )
    if not path.exists():
        # A path of a folder that was moved, seen from where the run was started.
        beside = work_dir / path.name
        path = beside if beside.exists() else path
    if not path.exists():
        return None, f'{pointer} names {text}, which is not there'
    return path, ''


def _is_inside(path: Path, work_dir: Path, out_dir: str | None) -> bool:
    """Tell whether a file is in the folder; links to folders are followed for it."""
    parent = Path(os.path.normpath(path)).parent.resolve()
    return '..' not in path.name and any(
        parent.is_relative_to(one.resolve()) for one in _local(work_dir, out_dir)
    )


def _local(work_dir: Path, out_dir: str | None) -> list[Path]:
    """Return the folders on this machine in which a run has its checkpoints."""
    apart = out_dir and '://' not in out_dir
    return [work_dir, Path(str(out_dir))] if apart else [work_dir]


def _resumable(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder from which a run can go on."""
    return [
        path
        for path in folder.glob('*.pth')
        if path.name == INTERRUPTED or re.fullmatch(_NUMBERED, path.name)
    ]


def _by_name(path: Path) -> int:
    """Return the number in the name of a checkpoint.

    Not its time, which a copy of the folder need not keep.
    """
    named = re.fullmatch(_NUMBERED, path.name)
    return int(named.group(1)) if named else -1


def _steps(path: Path) -> int:
    """Return how many steps a checkpoint was trained for; 0 if it does not say."""
    try:
        meta = look_into(read_once(path))['meta']
        steps = meta['iter']
    except Exception:  # whatever a damaged or foreign file leads to
        return 0
    return steps if isinstance(steps, int) else 0


def _warn(text: str) -> None:
    """Warn once, however many processes look."""
    if is_first_process():
        print(f'warning: {text}', file=sys.stderr, flush=True)
