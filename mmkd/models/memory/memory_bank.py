"""Memory bank: one feature for each video of the data set."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError


class MemoryBank(nn.Module):
    """An exponential moving average (EMA) of each video's feature, for all processes.

    With the stored feature ``m_i`` of video ``i`` and its new feature ``z_i``::

        m_i = normalize(momentum * m_i + (1 - momentum) * z_i)

    The features start uniform in ``[-s, s]`` with ``s = sqrt(3 / dim)``, which gives
    them a norm of about 1. Source: Wu et al., https://arxiv.org/abs/1805.01978, in the
    form of CMC, https://arxiv.org/abs/1906.05849.

    Args:
        size: Number of videos. None: not known yet, see :meth:`resize`.
        dim: Width of a feature. Defaults to 128.
        momentum: Share of the old feature in the new one. Defaults to 0.5.

    Raises:
        UserError: If a size is not positive, or ``momentum`` is not in 0..1.
    """

    features: Tensor

    def __init__(
        self, size: int | None = None, dim: int = 128, momentum: float = 0.5
    ) -> None:
        super().__init__()
        if dim < 1 or not 0 <= momentum <= 1:
            raise UserError(
                f'a memory bank of width {dim} and momentum {momentum}',
                'Give a positive width and a momentum in 0..1.',
            )
        self.momentum = momentum
        self.register_buffer('features', torch.empty(0, dim))
        if size is not None:
            self.resize(size)

    @property
    def size(self) -> int:
        """Number of videos; 0 while it is not known."""
        return len(self.features)

    def resize(self, size: int) -> None:
        """Start again with room for ``size`` videos.

        Draws from torch's global generator on the CPU; where processes have different
        seeds, the caller has to send the features of one to the others.
        """
        if size < 1:
            raise UserError(f'a memory bank for {size} videos', 'Give 1 or more.')
        dim = self.features.shape[1]
        start = torch.empty(size, dim).uniform_(-1, 1) * (3 / dim) ** 0.5
        # The tensor itself stays: wrappers of the model hold on to it.
        self.features.data = start.to(self.features)

    def similarities(self, queries: Tensor, indices: Tensor) -> Tensor:
        """Return the dot products of queries ``(N, dim)`` with K stored features each.

        The videos' ``indices`` are ``(N, K)``, and so is the result. It has gradient to
        the queries only, and the precision of the bank, also under autocast: divided by
        a temperature of 0.07, half precision would be too coarse.
        """
        # A gathered copy, so that the graph outlives an update before backward.
        stored = self.features.index_select(0, indices.flatten())
        # (N, K, dim)
        stored = stored.unflatten(0, indices.shape)
        with torch.autocast(queries.device.type, enabled=False):
            return torch.einsum('nd,nkd->nk', queries.to(stored.dtype), stored)

    @torch.no_grad()
    def update(self, indices: Tensor, features: Tensor) -> None:
        """Average stored features with new ones and normalise them, as stated above.

        Of several new features ``(N, dim)`` of one video, by its index in ``indices``
        ``(N,)``, the last one counts. Every process has to hand over the same, see
        :func:`~mmkd.models.memory.gather_rows`.
        """
        # (N, N): which samples are of one video; (N,): the last sample of each video.
        same = indices[:, None] == indices[None, :]
        positions = torch.arange(len(indices), device=indices.device)
        last = (same * positions).amax(dim=1)
        new = features[last].to(self.features.dtype)
        # (N, dim): momentum * old + (1 - momentum) * new.
        mixed = torch.lerp(new, self.features[indices], self.momentum)
        # All positions of one video hold one value, so their order does not matter.
        self.features.index_copy_(0, indices, functional.normalize(mixed, dim=1))
