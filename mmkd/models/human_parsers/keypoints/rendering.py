"""Draw keypoints as heat-maps."""

import torch
from torch import Tensor


def render_keypoints(
    places: Tensor, scores: Tensor, frame: tuple[int, int], size: int, sigma: float
) -> Tensor:
    """Return heat-maps ``(F, J, size, size)`` over the whole frame.

    A joint is ``score x exp(-d^2 / 2 sigma^2)`` at the centre of a cell, d being its
    distance to the joint in the frame; of several persons the maximum counts. Source:
    the maps of PoseConv3D (https://arxiv.org/abs/2104.13586), with a width that goes by
    the frame.

    Args:
        places: Joints ``(F, P, J, 2)``, x and y in pixels of the frame, from 0 at the
            centre of the first pixel.
        scores: Confidences ``(F, P, J)``, clipped to 0..1; 0 is no joint.
        frame: Height and width of the frame in pixels.
        size: Cells of the maps on each side.
        sigma: Standard deviation as a share of the frame's longer side.
    """
    maps = scores.new_zeros((places.shape[0], places.shape[2], size, size))
    width = sigma * max(frame)
    centres = torch.arange(size, dtype=places.dtype, device=places.device)
    centres = (centres + 0.5) / size
    for person, score in zip(places.unbind(1), scores.unbind(1), strict=True):
        bell = [
            torch.exp(-(((centres * side - 0.5 - place[..., None]) / width) ** 2) / 2)
            for place, side in zip(person.unbind(-1), (frame[1], frame[0]), strict=True)
        ]
        across, down = bell
        drawn = down[..., :, None] * across[..., None, :]
        maps = maps.maximum(drawn * score.clamp(0, 1)[..., None, None])
    return maps
