"""VSPP: Video Segment Pace Prediction."""

from collections.abc import Sequence

from torch import Tensor, nn

from mmkd.models.heads import pool_map
from mmkd.models.losses import masked_accuracy, masked_cross_entropy
from mmkd.models.tasks.base import EncodedViews, PretextTask
from mmkd.registry import MODELS


@MODELS.register_module()
class SegmentPace(PretextTask):
    """One segment of the clip runs faster: tell how fast, and which.

    Two linear classifiers on the pooled feature; the two cross-entropies are added
    without weights, as the released code does.

    Source: auxSKD, https://arxiv.org/abs/2112.04011.

    Args:
        in_channels: Width of the backbone.
        num_speeds: Classes of ``view_labels['speed']``. Defaults to 4.
        num_segments: Classes of ``view_labels['segment']``. Defaults to 4.
        views: The view whose pace is predicted. Defaults to ``(0,)``.
        loss_weight: Factor on both losses. Defaults to 1.

    Example:
        >>> tasks = dict(vspp=dict(type='mmkd.SegmentPace', num_speeds=3))
        >>> views = dict(type='mmkd.SegmentPaceViews', clip_len=16, speeds=(1, 2, 3))
    """

    def __init__(
        self,
        in_channels: int,
        num_speeds: int = 4,
        num_segments: int = 4,
        views: Sequence[int] = (0,),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(views, loss_weight=loss_weight)
        self.classifiers = nn.ModuleDict(
            {
                'speed': nn.Linear(in_channels, num_speeds),
                'segment': nn.Linear(in_channels, num_segments),
            }
        )

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss_speed``, ``loss_segment``, ``acc_speed`` and ``acc_segment``.

        Args:
            batch: One student view ``(N, C, t, h, w)``, labels ``speed`` and
                ``segment``.
        """
        view = self.views[0]
        feature = pool_map(batch.student[view])
        result = {}
        for name, classifier in self.classifiers.items():
            logits, labels = classifier(feature), batch.label(name, view)
            result[f'loss_{name}'] = masked_cross_entropy(logits, labels)
            result[f'acc_{name}'] = masked_accuracy(logits, labels)
        return result
