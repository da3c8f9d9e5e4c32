"""Rows of tensors on disk, one a video: written block by block, read as a whole."""

import pickle
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from mmkd.errors import UserError
from mmkd.files import replacing

Rows = dict[str, Tensor]


class RowStore:
    """A table with a row for each video of a list.

    While it is made, ``<path>.parts/`` holds a file for each block of videos; a run
    that was stopped goes on with the blocks that lack. A file is there whole or not at
    all, so that a kill at any moment leaves nothing wrong. Source: ours.

    Args:
        path: File of the finished table.
        total: Number of videos.
        block: Videos of a block. Defaults to 32.
    """

    def __init__(self, path: Path, total: int, block: int = 32) -> None:
        self.path = path
        self.parts = path.with_name(f'{path.name}.parts')
        self.total, self.block = total, block

    def read(self) -> Rows | None:
        """Return the finished table; None if it is not there or is damaged."""
        rows = _read(self.path)
        return rows if rows and _length(rows) == self.total else None

    def missing(self, rank: int = 0, world: int = 1) -> list[int]:
        """Return the blocks that a process has yet to make.

        The blocks go around the processes; which are already there does not matter, so
        that all processes agree while some of them write.

        Args:
            rank: Place of the process. Defaults to 0.
            world: Number of processes. Defaults to 1.
        """
        blocks = range(-(-self.total // self.block))
        return [b for b in blocks[rank::world] if not self._part(b).is_file()]

    def places(self, block: int) -> range:
        """Return the places in the list that a block covers."""
        start = block * self.block
        return range(start, min(start + self.block, self.total))

    def write(self, block: int, rows: Sequence[Rows]) -> None:
        """Write a block, whole or not at all.

        Args:
            block: Its number.
            rows: What is known of each of its videos, in their order.
        """
        _write(self._part(block), stack_rows(rows))

    def merge(self) -> Rows:
        """Join the blocks to the finished table, and remove them.

        Raises:
            UserError: If a block is damaged; it is removed.
        """
        parts = []
        for block in range(-(-self.total // self.block)):
            rows = _read(self._part(block))
            if rows is None or _length(rows) != len(self.places(block)):
                self._part(block).unlink(missing_ok=True)
                raise UserError(
                    f'{self._part(block)} was damaged', 'Give the same command again.'
                )
            parts.append(rows)
        table = {name: torch.cat([p[name] for p in parts]) for name in parts[0]}
        _write(self.path, table)
        shutil.rmtree(self.parts, ignore_errors=True)
        return table

    def _part(self, block: int) -> Path:
        return self.parts / f'{block:06d}.pth'


def stack_rows(rows: Sequence[Rows]) -> Rows:
    """Return rows of one video each as tables of all."""
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def _write(path: Path, rows: Rows) -> None:
    with replacing(path) as temporary:
        torch.save(rows, temporary)


def _read(path: Path) -> Rows | None:
    if not path.is_file():
        return None
    try:
        return torch.load(path, map_location='cpu', weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError):
        return None


def _length(rows: Rows) -> int:
    return min(len(values) for values in rows.values())
