"""VideoPace: at which pace does the clip run?"""

from collections.abc import Sequence

from mmkd.models.tasks.view_classification import ViewClassification
from mmkd.registry import MODELS


@MODELS.register_module()
class Pace(ViewClassification):
    """Tell at which pace ``mmkd.PaceViews`` sampled a clip.

    Source: *Self-supervised Video Representation Learning by Pace Prediction*,
    https://arxiv.org/abs/2008.05861; the one task of its released code.

    Args:
        in_channels: Width of the backbone.
        num_paces: Paces of the sampler. Defaults to 4.
        views: The views to classify. Defaults to ``(0,)``.
        loss_weight: Factor on the loss. Defaults to 1.

    Example:
        >>> tasks = dict(pace=dict(type='mmkd.Pace', num_paces=3))
        >>> views = dict(type='mmkd.PaceViews', clip_len=16, paces=(0.5, 1, 2))
    """

    label = 'pace'

    def __init__(
        self,
        in_channels: int,
        num_paces: int = 4,
        views: Sequence[int] = (0,),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(in_channels, num_paces, views, loss_weight)
