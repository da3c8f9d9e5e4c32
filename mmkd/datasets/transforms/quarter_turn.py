"""Turn a clip by a random number of quarter turns, and remember which."""

import random
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomQuarterTurn(BaseTransform):
    """Turn all frames of a clip by the same random multiple of 90 degrees.

    Goes into ``PerView``, behind a square crop. Reads and writes ``imgs``, arrays
    ``(H, W, C)``, and writes ``view_labels['rotation']``, ``(1,)``: the number of
    counter-clockwise quarter turns, 0 to 3. ``quarter_turns``, an int, records the
    same for part maps; boxes and key points are not turned.

    Source: 3DRotNet, https://arxiv.org/abs/1811.11387. The authors train on all four
    copies of a clip; one copy at random is ours.

    Example:
        >>> crop = dict(type='RandomCrop', size=112)
        >>> turn = dict(type='mmkd.RandomQuarterTurn')
        >>> pipeline = [dict(type='mmkd.PerView', transforms=[crop, turn])]
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Turn one clip.

        Raises:
            UserError: If the frames are not square: their form would give it away.
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
        results['quarter_turns'] = turns
        results.setdefault('view_labels', {})['rotation'] = np.array([turns])
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
