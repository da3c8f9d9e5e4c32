"""Label maps on disk as a human parser."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from mmkd.datasets.video_file import read_maps
from mmkd.errors import UserError
from mmkd.models.human_parsers.human_parser import HumanParser, name_tails
from mmkd.models.human_parsers.weights import existing
from mmkd.part_labels import as_label_set
from mmkd.registry import MODELS

VOID = 255


@MODELS.register_module()
class LabelMapParser(HumanParser):
    """Label maps that somebody made before: exact ones, or another parser's.

    Of a video ``a/b.mp4`` it takes ``FOLDER/a/b.npz`` with an array ``maps``
    ``(T, H, W)``, as the synthetic set has them, or the pictures in ``FOLDER/a/b/``,
    one per frame, whose names end in the frame's number; if neither is there, the same
    for ``b``. Pictures are grey or have a palette; their values are labels. 255, which
    many sets call void, counts as background.

    Args:
        folder: Folder of the maps.
        label_set: Name of the label set, or its description for
            :func:`mmkd.part_labels.as_label_set`. Defaults to ``'synthetic'``.
        size: Cells of the longer side at most; larger maps are averaged down to it.
            Defaults to 112.
        first: Number in the name of a video's first picture. Defaults to 0.

    Raises:
        UserError: If the folder is not there.

    Example:
        >>> parser = dict(type='mmkd.LabelMapParser', folder='data/synthetic/maps')
        >>> labels = ['background', 'left_arm', 'right_arm']
        >>> pictures = dict(
        ...     type='mmkd.LabelMapParser',
        ...     folder='data/my_maps',
        ...     label_set=dict(name='arms', labels=labels, swaps=[(1, 2)]),
        ...     first=1,
        ... )
    """

    def __init__(
        self,
        folder: str,
        label_set: str | Mapping[str, Any] = 'synthetic',
        size: int = 112,
        first: int = 0,
    ) -> None:
        labels = as_label_set(label_set)
        super().__init__(labels, {'size': size, 'first': first})
        self.folder = existing(folder, 'folder of label maps', 'whoever made them')
        self.size = size
        self.first = first
        self._last: tuple[Path, np.ndarray] | None = None

    @torch.no_grad()
    def parse(self, frames: Tensor, video: str, frame_inds: Sequence[int]) -> Tensor:
        """Return ``(F, K, h, w)`` on the device of the frames.

        Raises:
            UserError: If there are no maps of the video or a frame, or they hold
                anything but its labels.
        """
        path = self._find(video)
        read = self._from_array if path.is_file() else self._from_pictures
        maps = [self._shares(read(path, number), path) for number in frame_inds]
        return torch.stack(maps).to(frames.device)

    def _find(self, video: str) -> Path:
        for name in name_tails(video):
            for path in (self.folder / f'{name}.npz', self.folder / name):
                if path.exists():
                    return path
        raise UserError(
            f'{self.folder} has no label maps of the video {video}',
            'They are named as the video, with .npz or as a folder of pictures.',
        )

    def _from_array(self, path: Path, number: int) -> np.ndarray:
        if self._last is None or self._last[0] != path:
            try:
                self._last = path, read_maps(path)
            except UserError as error:
                remedy = 'Write an array "maps" (T, H, W) there.'
                raise UserError(error.what, remedy) from error
        maps = self._last[1]
        if maps.ndim != 3 or not 0 <= number < len(maps):
            raise UserError(
                f'{path} holds maps {maps.shape}, and not the frame {number}',
                'One map per frame is needed.',
            )
        return maps[number]

    def _from_pictures(self, folder: Path, number: int) -> np.ndarray:
        wanted = number + self.first
        for path in folder.iterdir():
            digits = re.search(r'(\d+)$', path.stem)
            if digits and int(digits[1]) == wanted:
                return _read_picture(path)
        raise UserError(
            f'{folder} has no picture of the frame {number}, whose name ends in '
            f'{wanted}',
            'Add it, or correct first.',
        )

    def _shares(self, labels: np.ndarray, path: Path) -> Tensor:
        """Return the share of each label in each cell, ``(K, h, w)``."""
        count = len(self.label_set)
        labels = np.where(labels == VOID, self.label_set.background, labels)
        numbers = labels.ndim == 2 and labels.dtype.kind in 'iu' and labels.size > 0
        if not numbers or labels.min() < 0 or labels.max() >= count:
            values = f'{labels.min()} to {labels.max()}' if numbers else labels.dtype
            raise UserError(
                f'{path} holds {values} {labels.shape}, not maps of the {count} '
                f'labels of {self.label_set.name}',
                'Give the label set that they were made with.',
            )
        indices = torch.from_numpy(labels.astype(np.int64))
        shares = functional.one_hot(indices, count).permute(2, 0, 1).float()
        scale = min(1.0, self.size / max(labels.shape))
        if scale == 1:
            return shares
        height, width = (max(1, round(side * scale)) for side in labels.shape)
        return functional.adaptive_avg_pool2d(shares, (height, width))

    def weights_hash(self) -> str:
        """Return a fingerprint of the files' names and sizes, not of their content."""
        files = sorted(path for path in self.folder.rglob('*') if path.is_file())
        lines = [
            f'{path.relative_to(self.folder).as_posix()} {path.stat().st_size}\n'
            for path in files
        ]
        return hashlib.sha256(''.join(lines).encode()).hexdigest()[:16]


def _read_picture(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as picture:
            if picture.mode not in ('L', 'P'):
                raise UserError(
                    f'{path} is a picture of mode {picture.mode}, not a label map',
                    'Write grey or palette pictures of 8 bits.',
                )
            return np.asarray(picture)
    except (OSError, SyntaxError) as error:
        raise UserError(f'{path} is no picture ({error})', 'Write it again.') from error
