"""Do the features use their space, or have they collapsed?"""

import torch
from torch import Tensor
from torch.nn import functional


def feature_std(features: Tensor) -> float:
    """Return the spread of features on the unit sphere: 1 is healthy, 0 collapsed.

    The standard deviation over the rows, averaged over the channels, of the features at
    unit length, times ``sqrt(C)``: directions drawn uniformly give 1. Source: SimSiam,
    https://arxiv.org/abs/2011.10566 (there without the factor).

    Args:
        features: Shape ``(V, C)``.
    """
    unit = functional.normalize(features.float(), dim=1)
    deviation = unit.std(dim=0, correction=0).mean()
    return float(deviation * features.shape[1] ** 0.5)


def effective_rank(features: Tensor) -> float:
    """Return how many directions the features use, as a real number from 1 up.

    The exponential of the entropy of the singular values, after the mean is taken
    away: without that, features around one far point have a rank of about 1 however
    they spread. At most it is ``min(V - 1, C)``, so compare numbers of equal ``V``.
    Source: Roy and Vetterli, *The effective rank*, EUSIPCO 2007; RankMe,
    https://arxiv.org/abs/2210.02885 (both without centring).

    Args:
        features: Shape ``(V, C)``. Rows that are all the same have rank 1.
    """
    centred = features.double() - features.double().mean(dim=0)
    values = torch.linalg.svdvals(centred)
    if values.sum() <= 1e-12 * features.double().norm():
        return 1.0
    share = values / values.sum()
    entropy = -torch.special.xlogy(share, share).sum()
    return float(entropy.exp())
