"""Class scores in bf16, which NumPy does not know.

MMAction2's heads compute the training accuracy with NumPy, so a step in bf16 fails
there. In float32 the loss is sharper as well.
"""

import functools
from collections.abc import Callable
from typing import Any

from mmkd.compat.cure import Cure


def _numpy_refuses() -> bool:
    import torch

    try:
        torch.zeros(1, dtype=torch.bfloat16).numpy()
    except TypeError:
        return True
    return False


def _in_float32(upstream: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(upstream)
    def loss_by_feat(self: Any, cls_scores: Any, *args: Any, **kwargs: Any) -> Any:
        if str(getattr(cls_scores, 'dtype', '')) == 'torch.bfloat16':
            cls_scores = cls_scores.float()
        return upstream(self, cls_scores, *args, **kwargs)

    return loss_by_feat


def _patch() -> None:
    from mmaction.models.heads.base import BaseHead

    BaseHead.loss_by_feat = _in_float32(BaseHead.loss_by_feat)


HALF_PRECISION_SCORES = Cure(
    name='mmaction: training accuracy of scores in bf16',
    link='https://github.com/open-mmlab/mmaction2/blob/v1.2.0/mmaction/'
    'models/heads/base.py',
    needed=_numpy_refuses,
    apply=_patch,
    waits_for='mmaction.models.heads.base',
)
