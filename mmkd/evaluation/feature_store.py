"""Store features on disk, one record a video: written by blocks, read as a whole."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from mmkd.errors import UserError
from mmkd.locks import LocksUnsupportedError, lock_file, unlock_file
from mmkd.pickle_check import UnsafePickleError
from mmkd.tensor_check import UnreadableError
from mmkd.tensor_files import load_tensors, read_once, save_tensors

Tensors = dict[str, Tensor]


class FeatureStore:
    """Table with a record (features, label, scores) for each video of a list.

    While it is made, ``<path>.parts/`` holds a file for each block of videos; a run
    that was stopped goes on with the missing blocks. Files are written atomically, so
    that a kill at any moment leaves nothing wrong.

    Args:
        path: File of the finished table.
        total: Number of videos.
        block: Videos of a block. Defaults to 32.
    """

    def __init__(self, path: Path, total: int, block: int = 32) -> None:
        self.path = path
        self.parts = path.with_name(f'{path.name}.parts')
        self.total, self.block = total, block
        self._lock_path = path.with_name(f'{path.name}.lock')
        self._lock: int | None = None

    def read(self) -> Tensors | None:
        """Return the finished table; None if it is not there or is damaged."""
        return _read(self.path, self.total)

    def missing(self, rank: int = 0, world: int = 1) -> list[int]:
        """Return the blocks that one of ``world`` processes has yet to make.

        The blocks are dealt out to the processes in turn; which are already there does
        not matter, so that all processes agree while some of them write.
        """
        return [b for b in self._blocks()[rank::world] if not self._part(b).is_file()]

    def positions(self, block: int) -> range:
        """Return the positions in the list that a block covers."""
        start = block * self.block
        return range(start, min(start + self.block, self.total))

    def try_hold(self) -> bool:
        """Lock the table for writing; False if another process holds it.

        On a file system without locks several may: they make the same.

        Raises:
            UserError: If the folder cannot be written to.
        """
        try:
            self._lock_path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = lock_file(self._lock_path)
        except LocksUnsupportedError:
            return True
        except OSError as error:
            raise UserError(
                f'{self._lock_path.parent} cannot be written to '
                f'({error.strerror or error})',
                'Name another folder with --work-dir.',
            ) from error
        return self._lock is not None

    def let_go(self) -> None:
        """Release the lock of :meth:`try_hold`."""
        if self._lock is not None:
            unlock_file(self._lock_path, self._lock)
            self._lock = None

    def write(self, block: int, records: Sequence[Tensors]) -> None:
        """Write a block atomically: one record a video, in their order."""
        table = {
            name: torch.stack([record[name] for record in records])
            for name in records[0]
        }
        save_tensors(table, self._part(block))

    def merge(self) -> Tensors:
        """Join the blocks to the finished table, and remove them.

        Where another process has done so meanwhile, its table is taken; without locks
        (see :meth:`try_hold`) that can happen.

        Raises:
            UserError: If a block is damaged; it is removed.
        """
        parts = []
        for block in self._blocks():
            records = _read(self._part(block), len(self.positions(block)))
            if records is None:
                finished = self.read()
                if finished is not None:
                    return finished
                self._part(block).unlink(missing_ok=True)
                raise UserError(
                    f'{self._part(block)} was damaged', 'Give the same command again.'
                )
            parts.append(records)
        table = {name: torch.cat([p[name] for p in parts]) for name in parts[0]}
        save_tensors(table, self.path)
        shutil.rmtree(self.parts, ignore_errors=True)
        return table

    def _blocks(self) -> range:
        return range(-(-self.total // self.block))

    def _part(self, block: int) -> Path:
        return self.parts / f'{block:06d}.pth'


def _read(path: Path, length: int) -> Tensors | None:
    """Read a table of ``length`` records; None if it is missing, damaged or no table.

    A file of 1.6 KB could hold a tensor that repeats one number (stride 0) a thousand
    million times: nothing is built that is larger than the file.
    """
    try:
        content = load_tensors(read_once(path))
    except (FileNotFoundError, UserError, UnreadableError, UnsafePickleError):
        return None
    return content if _is_table(content, length) else None


def _is_table(content: object, length: int) -> bool:
    if not isinstance(content, dict) or not content:
        return False
    return all(
        isinstance(name, str)
        and isinstance(value, Tensor)
        and value.ndim > 0
        and len(value) == length
        for name, value in content.items()
    )
