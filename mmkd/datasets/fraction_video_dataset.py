"""Train on a fraction of a list, the same share of every class."""

import math
import random
from collections import defaultdict
from typing import Any

from mmaction.datasets import VideoDataset

from mmkd.errors import UserError
from mmkd.registry import DATASETS


@DATASETS.register_module()
class FractionVideoDataset(VideoDataset):
    """A part of the videos of a list, drawn per class, in the order of the list.

    Of a class with ``n`` videos ``ceil(fraction * n)`` stay, so at least one. The same
    list, fraction and seed give the same videos everywhere, and a smaller fraction is a
    subset of a larger one. Unlabelled videos (label -1) count as one class.
    ``sample_idx`` counts within the part. Source: ours.

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
        for place, entry in enumerate(entries):
            by_class[str(entry['label'])].append(place)
        kept: set[int] = set()
        for label, places in by_class.items():
            # Each class by itself: what happens to one does not depend on others.
            random.Random(f'{self.seed} {label}').shuffle(places)
            # Without the margin 0.07 * 100 would be 8.
            kept.update(places[: math.ceil(self.fraction * len(places) - 1e-9)])
        return [entry for place, entry in enumerate(entries) if place in kept]
