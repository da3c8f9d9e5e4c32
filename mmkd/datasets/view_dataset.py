"""Videos for pre-training, with a pipeline whose parts have names."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from mmkd.datasets.partial_lists import FractionVideoDataset
from mmkd.datasets.view_steps import SLOTS, Slot, view_steps
from mmkd.errors import UserError
from mmkd.registry import DATASETS


def check_slots(dataset: Mapping[str, Any]) -> None:
    """Check the config of a ``ViewDataset``.

    Raises:
        UserError: If a slot holds what it cannot, ``repeat`` is below 1, or there is a
            plain pipeline.
    """
    if 'pipeline' in dataset:
        raise UserError(
            'ViewDataset takes no pipeline', ViewDataset.instead_of['pipeline']
        )
    repeat = dataset.get('repeat')
    if repeat is not None and (not isinstance(repeat, int) or repeat < 1):
        raise UserError(
            f'ViewDataset: repeat is {repeat!r}', 'Give 1 or more, or leave it out.'
        )
    view_steps(**{name: dataset[name] for name in SLOTS if name in dataset})


@DATASETS.register_module()
class ViewDataset(FractionVideoDataset):
    """Turn each video of a list into views, by steps that have names.

    The steps are those that every pre-training needs, in this order: open the video
    (``reader``), choose the frames (``views``), decode them once, ``resize``, transform
    each view by itself (``augment``, then ``after``), and pack ``(M, 3, T, H, W)``. A
    child config or the command line names the part that it changes, e.g.
    ``train_dataloader.dataset.views.num_views=2``; a step that is set to None is left
    out.

    With ``repeat``, ``sample_idx`` stays the index of the video in the list, so that
    a memory bank has one entry a video.

    Args:
        ann_file: As in MMAction2's ``VideoDataset``.
        views: The sampler, a transform that writes ``frame_inds``.
        resize: Transform of all frames alike. Defaults to None: none.
        augment: Named transforms of each view, in order; beside them ``groups`` or
            ``views`` as :class:`~mmkd.datasets.transforms.PerView` has them. Defaults
            to None: none.
        after: As ``augment``, and behind it, for instance with other groups. Defaults
            to None: none.
        targets: Dense targets that follow the pixels: ``load``, behind the decoding,
            and ``align``, behind all crops and flips. Defaults to None: none.
        reader: What opens a video. Defaults to None: ``mmkd.OpenVideo``.
        repeat: How often an epoch has each video. Defaults to None: once.
        fraction: As in :class:`FractionVideoDataset`, like ``seed``. Defaults to 1.
        seed: Defaults to 0.
        **kwargs: Further arguments of ``VideoDataset``.

    Attributes:
        num_videos: Videos of the list, each counted once.
        instead_of: What to do instead of giving an argument that is not taken.

    Raises:
        UserError: If a slot holds what it cannot, or ``repeat`` is below 1.

    Example:
        >>> dataset = dict(
        ...     type='mmkd.ViewDataset',
        ...     ann_file='data/ucf101/train_split1.txt',
        ...     views=dict(type='mmkd.PaceViews', num_views=1),
        ...     resize=dict(type='Resize', scale=(171, 128), keep_ratio=False),
        ...     augment=dict(crop=dict(type='RandomCrop', size=112)),
        ... )
    """

    instead_of: ClassVar = {
        'pipeline': f'Name the parts that differ: {", ".join(SLOTS)}.'
    }

    def __init__(
        self,
        ann_file: str,
        views: Slot = None,
        resize: Slot = None,
        augment: Slot = None,
        after: Slot = None,
        targets: Slot = None,
        reader: Slot = None,
        repeat: int | None = None,
        fraction: float = 1.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        slots = {'repeat': repeat, 'views': views}
        check_slots(slots | ({'pipeline': None} if 'pipeline' in kwargs else {}))
        self.repeat = repeat
        kwargs['pipeline'] = view_steps(views, resize, augment, after, targets, reader)
        super().__init__(ann_file, fraction=fraction, seed=seed, **kwargs)

    @property
    def num_videos(self) -> int:
        """Videos of the list, each counted once."""
        return super().__len__()

    def __len__(self) -> int:
        return self.num_videos * (self.repeat or 1)

    def __getitem__(self, idx: int) -> Any:
        return super().__getitem__(self._video(idx))

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """Return what is known of the video of a sample; ``sample_idx`` is its index.

        Raises:
            IndexError: If there is no such sample.
        """
        return super().get_data_info(self._video(idx))

    def _video(self, idx: int) -> int:
        if not -len(self) <= idx < len(self):
            raise IndexError(f'sample {idx} of {len(self)}')
        return idx % self.num_videos

    def _rand_another(self) -> int:
        # Among the videos: with the same random number the same one as without repeat.
        return np.random.randint(0, self.num_videos)
