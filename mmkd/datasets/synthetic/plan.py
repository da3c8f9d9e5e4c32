"""What is to be rendered: parameters, clips and lists of the data set (ours)."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmkd.datasets.synthetic.actions import CLASS_NAMES
from mmkd.errors import UserError

VERSION = 1
"""Raise it whenever the same parameters no longer give the same clips."""
UNKNOWN = -1
SPLITS = ('train', 'test', 'unlabelled')


@dataclass(frozen=True)
class ClipPlan:
    """A clip to be rendered.

    Args:
        split: One of ``SPLITS``.
        number: Running number in its split.
        action: Index into ``actions.ACTIONS``.
        seed: Seed of everything but the action.
    """

    split: str
    number: int
    action: int
    seed: tuple[int, int, int]

    @property
    def name(self) -> str:
        """Path of the clip without its ending; it does not tell the action."""
        return f'{self.split}/{self.number:05d}'

    @property
    def label(self) -> int:
        """Label in the list: the action, or -1 if it is not to be known."""
        return UNKNOWN if self.split == 'unlabelled' else self.action

    def video(self, out: Path) -> Path:
        """Path of its video."""
        return out / 'videos' / f'{self.name}.mp4'

    def maps(self, out: Path) -> Path:
        """Path of its label maps."""
        return out / 'maps' / f'{self.name}.npz'

    def is_rendered(self, out: Path) -> bool:
        """Whether both files are there."""
        return self.video(out).is_file() and self.maps(out).is_file()


@dataclass(frozen=True)
class Plan:
    """Parameters of a data set.

    Args:
        train_per_class: Training clips of each action. Default: 10.
        test_per_class: Test clips of each action. Default: 10.
        unlabelled: Number of clips without a label. Default: 240.
        size: Height and width in pixels, even. Default: 96.
        fps: Frames per second. Default: 25.
        seed: Seed of the whole set, not negative. Default: 0.

    Raises:
        UserError: If a value is out of range.
    """

    train_per_class: int = 10
    test_per_class: int = 10
    unlabelled: int = 240
    size: int = 96
    fps: float = 25.0
    seed: int = 0

    def __post_init__(self) -> None:
        checks = {
            'train_per_class': (self.train_per_class >= 1, 'at least 1'),
            'test_per_class': (self.test_per_class >= 0, 'at least 0'),
            'unlabelled': (self.unlabelled >= 0, 'at least 0'),
            'size': (self.size >= 32 and self.size % 2 == 0, 'even and at least 32'),
            'fps': (5 <= self.fps <= 120, 'between 5 and 120'),
            'seed': (self.seed >= 0, 'at least 0'),
        }
        for name, (fits, rule) in checks.items():
            if not fits:
                value = getattr(self, name)
                raise UserError(f'{name}={value}', f'Give a {name} that is {rule}.')

    def clips(self) -> list[ClipPlan]:
        """Return all clips, split by split, the actions of each in random order."""
        return [clip for split in SPLITS for clip in self._split(split)]

    def _split(self, split: str) -> Iterator[ClipPlan]:
        number = SPLITS.index(split)
        classes = len(CLASS_NAMES)
        if split == 'unlabelled':
            actions = np.arange(self.unlabelled) % classes
        else:
            per_class = getattr(self, f'{split}_per_class')
            actions = np.repeat(np.arange(classes), per_class)
        order = np.random.default_rng((self.seed, number)).permutation(actions)
        for index, action in enumerate(order):
            yield ClipPlan(split, index, int(action), (self.seed, number, index))

    def meta(self) -> dict[str, Any]:
        """Return the content of ``meta.json``."""
        return {
            'data_set': 'mmkd synthetic figures',
            'version': VERSION,
            'classes': list(CLASS_NAMES),
            'parameters': asdict(self),
        }

    def lists(self) -> dict[str, str]:
        """Return the text of ``classes.txt`` and of MMAction2's list of each split."""
        texts = {'classes.txt': ''.join(f'{name}\n' for name in CLASS_NAMES)}
        texts |= {f'{split}.txt': '' for split in SPLITS}
        for clip in self.clips():
            texts[f'{clip.split}.txt'] += f'{clip.name}.mp4 {clip.label}\n'
        return texts
