"""3DRotNet: how far was the clip turned?"""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from mmcv.transforms import BaseTransform

from mmkd.datasets.clip_types import Results
from mmkd.errors import UserError
from mmkd.models.tasks import ViewClassification
from mmkd.registry import MODELS, TRANSFORMS


@TRANSFORMS.register_module()
class RandomQuarterTurn(BaseTransform):
    """Turn all frames of a clip by the same random multiple of 90 degrees.

    Goes into ``PerView``, behind a square crop. Reads and writes ``imgs``, arrays
    ``(H, W, C)``, and writes ``view_labels['rotation']``, ``(1,)``: the number of
    counter-clockwise quarter turns, 0 to 3. Boxes and key points are not turned.

    Source: 3DRotNet, https://arxiv.org/abs/1811.11387. The authors train on all four
    copies of a clip; one copy at random is ours.

    Example:
        >>> crop = dict(type='RandomCrop', size=112)
        >>> turn = dict(type='mmkd.RandomQuarterTurn')
        >>> pipeline = [dict(type='mmkd.PerView', transforms=[crop, turn])]

    Attributes:
        labels: Number of classes of its label.
    """

    labels: ClassVar[Mapping[str, int]] = {'rotation': 4}
    moves_pixels = True

    def transform(self, results: Results) -> Results:
        """Turn one clip.

        Raises:
            UserError: If the frames are not square: their shape would tell the label.
        """
        height, width = results['imgs'][0].shape[:2]
        if height != width:
            raise UserError(
                f'RandomQuarterTurn: frames of {width} x {height} pixels',
                'Crop or resize them to a square before.',
            )
        turns = random.randrange(4)
        results['imgs'] = [
            # OpenCV does not take the strides of a turned view.
            np.ascontiguousarray(np.rot90(image, turns))
            for image in results['imgs']
        ]
        results.setdefault('view_labels', {})['rotation'] = np.array([turns])
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


@MODELS.register_module()
class Rotation(ViewClassification):
    """Tell by how many quarter turns ``mmkd.RandomQuarterTurn`` turned a clip.

    With the pooled feature ``h`` of a clip that was turned ``q`` times, the mean over
    clips of::

        L = -log softmax(W h + b)[q]

    Source: *Self-Supervised Spatiotemporal Feature Learning via Video Rotation
    Prediction*, https://arxiv.org/abs/1811.11387.

    Args:
        in_channels: Width of the backbone.
        num_classes: Turns to tell. Defaults to None: as many as the transform makes, or
            4 where nothing says so.
        views: The views to classify. Defaults to ``(0,)``.
        loss_weight: Factor on the loss. Defaults to 1.

    Example:
        >>> tasks = dict(rotation=dict(type='mmkd.Rotation'))
        >>> crop = dict(type='RandomCrop', size=112)
        >>> turn = dict(type='mmkd.RandomQuarterTurn')
        >>> per_view = dict(type='mmkd.PerView', transforms=[crop, turn])
    """

    label = 'rotation'

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        views: Sequence[int] = (0,),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(in_channels, num_classes or 4, views, loss_weight)
