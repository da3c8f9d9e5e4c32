"""One feature a video: the mean over its clips of the backbone's pooled map."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor
from torch.utils.data import DataLoader

from mmkd.evaluation.pooling import POOLINGS
from mmkd.progress import track

Rows = dict[str, Tensor]


@dataclass(frozen=True)
class Features:
    """Features and classes of ``V`` videos.

    Attributes:
        vectors: Shape ``(V, C)``, float32.
        labels: Shape ``(V,)``.
    """

    vectors: Tensor
    labels: Tensor


class FeatureEncoder:
    """Pooled features of the videos of a batch.

    A video passes the network alone: what is computed for it does not depend on who
    else is in the batch, hence not on the number of processes.

    Args:
        model: Any model with ``backbone`` and ``data_preprocessor``; put into eval.
        forms: Names in :data:`~mmkd.evaluation.pooling.POOLINGS`.
    """

    def __init__(self, model: BaseModel, forms: Iterable[str] = ('average',)) -> None:
        self.model = model.eval()
        self.forms = tuple(forms)

    @torch.inference_mode()
    def __call__(self, raw: Any) -> list[Rows]:
        """Return ``label`` and one mean vector ``(C,)`` a form, for every video.

        Args:
            raw: A batch of clips ``(N, M, 3, T, H, W)`` with ``gt_label``, as the
                loader gives it.
        """
        batch = self.model.data_preprocessor(raw, False)
        rows = []
        for clips, sample in zip(batch['inputs'], batch['data_samples'], strict=True):
            maps = self.model.backbone(clips)
            row = {
                form: POOLINGS[form](maps).mean(dim=0).float().cpu()
                for form in self.forms
            }
            rows.append({'label': sample.gt_label.reshape(()).cpu(), **row})
        return rows


def extract_features(model: BaseModel, loader: DataLoader, what: str) -> Features:
    """Encode every video of a loader, on this process alone.

    Protocol of VCOP and RSPNet: several clips a video (the loader's pipeline decides),
    their pooled features averaged. Every video counts, also in the last batch.

    Args:
        model: See :class:`FeatureEncoder`.
        loader: Yields batches of clips ``(N, M, 3, T, H, W)`` with ``gt_label``.
        what: Word for the progress display.

    Returns:
        The features, on the CPU.
    """
    encode = FeatureEncoder(model)
    rows: list[Rows] = []
    for raw in track(loader, f'features of {what}', total=len(loader)):
        rows += encode(raw)
    vectors, labels = (torch.stack([r[k] for r in rows]) for k in ('average', 'label'))
    return Features(vectors, labels)
