"""Give scores of parts a background, so that they sum to 1 (ours)."""

import torch
from torch import Tensor


def with_background(person: Tensor, parts: Tensor) -> Tensor:
    """Return ``(F, 1 + K, h, w)``, first ``1 - person``, then ``person x parts``.

    Args:
        person: Probability of a person, ``(F, 1, h, w)``.
        parts: Distribution over the parts of a person, ``(F, K, h, w)``.
    """
    return torch.cat([1 - person, person * parts], dim=1)


def keypoint_probabilities(maps: Tensor) -> Tensor:
    """Return ``(F, 1 + J, h, w)``: background, then the joints.

    A place is as likely a person as its likeliest joint; joints share that in
    proportion to their maps. Source: ours.

    Args:
        maps: Heat-maps ``(F, J, h, w)``, about 0..1, clipped to it.
    """
    maps = maps.clamp(0, 1)
    tiny = torch.finfo(maps.dtype).tiny
    parts = maps / maps.sum(dim=1, keepdim=True).clamp(min=tiny)
    return with_background(maps.amax(dim=1, keepdim=True), parts)
