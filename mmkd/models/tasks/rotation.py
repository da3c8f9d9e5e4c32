"""3DRotNet: how far was the clip turned?"""

from collections.abc import Sequence

from mmkd.models.tasks.view_classification import ViewClassification
from mmkd.registry import MODELS


@MODELS.register_module()
class Rotation(ViewClassification):
    """Tell by how many quarter turns ``mmkd.RandomQuarterTurn`` turned a clip.

    Source: *Self-Supervised Spatiotemporal Feature Learning via Video Rotation
    Prediction*, https://arxiv.org/abs/1811.11387.

    Args:
        in_channels: Width of the backbone.
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
        self, in_channels: int, views: Sequence[int] = (0,), loss_weight: float = 1.0
    ) -> None:
        super().__init__(in_channels, 4, views, loss_weight)
