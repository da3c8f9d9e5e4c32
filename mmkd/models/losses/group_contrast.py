"""InfoNCE where groups say which keys belong to an anchor."""

import torch
from torch import Tensor


def group_contrast(similarities: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Return InfoNCE, averaged over the positives of each anchor, then over anchors.

    For each positive ``p`` of an anchor: ``-log(e^s_p / (e^s_p + sum_n e^s_n))`` over
    the anchor's negatives ``n``; other positives are not in the sum. An anchor without
    positives counts as 0, so that the mean over several processes equals the value of
    one. Source: InfoNCE, https://arxiv.org/abs/1807.03748; several positives: ours.

    Args:
        similarities: Scaled similarities of anchors and keys, ``(N, K)``.
        positive: Which keys are positives of an anchor, bool ``(N, K)``.
        negative: Which are negatives, bool ``(N, K)``; a key may be neither.

    Returns:
        A scalar.
    """
    rest = similarities.masked_fill(~negative, float('-inf')).logsumexp(1, keepdim=True)
    per_key = torch.logaddexp(similarities, rest) - similarities
    per_anchor = (per_key * positive).sum(1) / positive.sum(1).clamp(min=1)
    return per_anchor.mean()
