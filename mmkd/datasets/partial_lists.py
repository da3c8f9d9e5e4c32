"""Train on a part of a list: a fraction of every class, or all but held-out videos."""

import math
import random
from collections import defaultdict
from typing import Any, Literal

from mmaction.datasets import VideoDataset

from mmkd.errors import UserError
from mmkd.registry import DATASETS


@DATASETS.register_module()
class FractionVideoDataset(VideoDataset):
    """A part of the videos of a list, drawn per class, in the order of the list.

    Of a class with ``n`` videos ``ceil(fraction * n)`` stay, so at least one. The same
    list, fraction and seed give the same videos everywhere, and a smaller fraction is a
    subset of a larger one. Unlabelled videos (label -1) count as one class.
    ``sample_idx`` counts within the part.

    Args:
        ann_file: As in MMAction2's ``VideoDataset``, which takes the other arguments.
        fraction: Share of the videos, above 0 and up to 1. Defaults to 1.
        seed: Seed of the draw. Defaults to 0.
        **kwargs: Further arguments of ``VideoDataset``.

    Raises:
        UserError: If the fraction is out of range.

    Example:
        List and pipeline come from the config's base:

        >>> train_dataloader = dict(
        ...     dataset=dict(type='mmkd.FractionVideoDataset', fraction=0.1, seed=1)
        ... )
    """

    def __init__(
        self, ann_file: str, fraction: float = 1.0, seed: int = 0, **kwargs: Any
    ) -> None:
        if not 0 < fraction <= 1:
            raise UserError(
                f'a fraction of {fraction} of the videos of {ann_file}',
                'Give more than 0 and at most 1, e.g. 0.25.',
            )
        self.fraction = fraction
        self.seed = seed
        super().__init__(ann_file, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Return the entries of this part."""
        entries = super().load_data_list()
        by_class: dict[Any, list[int]] = defaultdict(list)
        for index, entry in enumerate(entries):
            by_class[str(entry['label'])].append(index)
        kept: set[int] = set()
        for label, indices in by_class.items():
            # Each class by itself: what happens to one does not depend on others.
            random.Random(f'{self.seed} {label}').shuffle(indices)
            # Without the margin 0.07 * 100 would be 8.
            kept.update(indices[: math.ceil(self.fraction * len(indices) - 1e-9)])
        return [entry for index, entry in enumerate(entries) if index in kept]


@DATASETS.register_module()
class SplitVideoDataset(VideoDataset):
    """One of the two parts of a list: videos to train on, or those held out.

    ``held_out`` videos are drawn at random; the same list, number and seed give the
    same videos everywhere, in the order of the list. ``sample_idx`` counts within the
    part. VCOP's official code (Xu et al., CVPR 2019) does the same.

    Args:
        ann_file: As in MMAction2's ``VideoDataset``, which takes the other arguments.
        part: ``'train'`` or ``'val'``.
        held_out: Number of videos of the part ``'val'``. Defaults to 800 (VCOP on
            UCF101).
        seed: Seed of the draw. Defaults to 632 (VCOP's seed; its draw is another).
        **kwargs: Further arguments of ``VideoDataset``.

    Raises:
        UserError: If one of the parts would be empty.

    Example:
        List and pipeline come from the config's base:

        >>> videos = dict(type='mmkd.SplitVideoDataset', held_out=400)
        >>> train_dataloader = dict(dataset=dict(**videos, part='train'))
        >>> val_dataloader = dict(dataset=dict(**videos, part='val', test_mode=True))
    """

    def __init__(
        self,
        ann_file: str,
        part: Literal['train', 'val'],
        held_out: int = 800,
        seed: int = 632,
        **kwargs: Any,
    ) -> None:
        self.part = part
        self.held_out = held_out
        self.seed = seed
        super().__init__(ann_file, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Return the entries of this part."""
        entries = super().load_data_list()
        if not 0 < self.held_out < len(entries):
            raise UserError(
                f'{self.ann_file} has {len(entries)} videos, of which {self.held_out} '
                'are to be held out',
                'Set held_out to at least 1 and less than their number.',
            )
        indices = random.Random(self.seed).sample(range(len(entries)), self.held_out)
        held, wanted = set(indices), self.part == 'val'
        return [e for index, e in enumerate(entries) if (index in held) == wanted]
