"""Encode a video as one feature: the mean of its clips' pooled maps."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor
from torch.nn import functional

from mmkd.evaluation.feature_store import Tensors
from mmkd.models.heads import pool_map


@dataclass(frozen=True)
class Features:
    """Features and classes of ``V`` videos.

    Attributes:
        vectors: Shape ``(V, C)``, float32.
        labels: Shape ``(V,)``.
    """

    vectors: Tensor
    labels: Tensor


def max_pool_map(x: Tensor) -> Tensor:
    """Max-pool a map over 2x2 positions and flatten it to one vector.

    ``(N, 512, 2, 7, 7)`` gives the ``(N, 9216)`` of VCOP and PCL. A side of one
    position is kept. Source: ``retrieve_clips.py`` of VCOP's released code (Xu et al.,
    CVPR 2019).
    """
    kernel = (1, min(2, x.shape[3]), min(2, x.shape[4]))
    return functional.max_pool3d(x, kernel).flatten(1)


#: From the last map of a clip to one vector: the forms that the papers use.
POOLINGS: dict[str, Callable[[Tensor], Tensor]] = {
    'average': pool_map,
    'max': max_pool_map,
}


class FeatureEncoder:
    """Encode the videos of a batch as pooled features.

    A video passes the network alone: what is computed for it does not depend on who
    else is in the batch, hence not on the number of processes. Protocol of VCOP and
    RSPNet: several clips a video (the loader's pipeline decides), averaged.

    Args:
        model: Any model with ``backbone`` and ``data_preprocessor``; put into eval.
        forms: Names in :data:`POOLINGS`.
    """

    def __init__(self, model: BaseModel, forms: Iterable[str] = ('average',)) -> None:
        self.model = model.eval()
        self.forms = tuple(forms)

    @torch.inference_mode()
    def __call__(self, raw: Any) -> list[Tensors]:
        """Return ``label`` and one mean vector ``(C,)`` a form, for every video.

        Args:
            raw: A batch of clips ``(N, M, 3, T, H, W)`` with ``gt_label``, as the
                loader gives it.
        """
        batch = self.model.data_preprocessor(raw, False)
        records = []
        for clips, sample in zip(batch['inputs'], batch['data_samples'], strict=True):
            maps = self.model.backbone(clips)
            record = {
                form: POOLINGS[form](maps).mean(dim=0).float().cpu()
                for form in self.forms
            }
            records.append({'label': sample.gt_label.reshape(()).cpu(), **record})
        return records


class ScoreEncoder:
    """Score the videos of a batch as the recognizer's test does.

    The recognizer is put into eval.
    """

    def __init__(self, model: BaseModel) -> None:
        self.model = model.eval()

    @torch.inference_mode()
    def __call__(self, raw: Any) -> list[Tensors]:
        """Return ``label`` and ``score``, shape ``(K,)``, for every video."""
        return [
            {
                'label': sample.gt_label.reshape(()).cpu(),
                'score': sample.pred_score.float().cpu(),
            }
            for sample in self.model.test_step(raw)
        ]
