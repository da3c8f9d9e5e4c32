"""One feature a video: the mean over its clips of the backbone's pooled map."""

from dataclasses import dataclass

import torch
from mmengine.model import BaseModel
from torch import Tensor
from torch.utils.data import DataLoader

from mmkd.models.heads import pool_map
from mmkd.progress import track


@dataclass(frozen=True)
class Features:
    """Features and classes of ``V`` videos.

    Attributes:
        vectors: Shape ``(V, C)``, float32.
        labels: Shape ``(V,)``.
    """

    vectors: Tensor
    labels: Tensor


@torch.inference_mode()
def extract_features(model: BaseModel, loader: DataLoader, what: str) -> Features:
    """Encode every video of a loader.

    Protocol of VCOP and RSPNet: ten clips a video (the loader's pipeline decides),
    their pooled features averaged. Every video counts, also in the last batch.

    Args:
        model: Any model with ``backbone`` and ``data_preprocessor``; put into eval.
        loader: Yields batches of clips ``(N, M, 3, T, H, W)`` with ``gt_label``.
        what: Word for the progress display.

    Returns:
        The features, on the CPU.
    """
    model.eval()
    vectors, labels = [], []
    for raw in track(loader, f'features of {what}', total=len(loader)):
        batch = model.data_preprocessor(raw, False)
        clips = batch['inputs']
        pooled = pool_map(model.backbone(clips.flatten(0, 1)))
        vectors.append(pooled.unflatten(0, clips.shape[:2]).mean(dim=1).float().cpu())
        labels += [int(sample.gt_label) for sample in batch['data_samples']]
    return Features(torch.cat(vectors), torch.tensor(labels))
