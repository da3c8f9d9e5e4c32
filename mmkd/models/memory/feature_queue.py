"""A first-in, first-out memory of teacher features."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.memory.gather import gather_rows


class FeatureQueue(nn.Module):
    """The last ``size`` features, the same on every process.

    Source: MoCo, https://arxiv.org/abs/1911.05722; used by auxSKD,
    https://arxiv.org/abs/2112.04011. The number of features that enter at once is
    free: it need not divide ``size``.

    Args:
        size: Number of features kept.
        dim: Width of a feature.
        released_init: Normalise the random start over the queue and not per feature,
            as auxSKD's released code does. Features then start with a norm of about
            ``sqrt(dim / size)``. Defaults to False: every feature has norm 1.

    Raises:
        UserError: If ``size`` or ``dim`` is not positive.
    """

    features: Tensor
    pointer: Tensor

    def __init__(self, size: int, dim: int, released_init: bool = False) -> None:
        super().__init__()
        if size < 1 or dim < 1:
            raise UserError(
                f'a feature queue of size {size} and width {dim} cannot be built',
                'Give positive numbers.',
            )
        start = functional.normalize(
            torch.randn(size, dim), dim=0 if released_init else 1
        )
        self.register_buffer('features', start)
        self.register_buffer('pointer', torch.zeros((), dtype=torch.long))

    @property
    def size(self) -> int:
        """Number of features kept."""
        return len(self.features)

    def similarities(self, queries: Tensor) -> Tensor:
        """Return the dot products of ``(N, dim)`` queries with all features.

        Returns:
            Shape ``(N, size)``. Gradient flows to the queries only.
        """
        # The copy keeps the graph valid when new features enter before backward.
        return queries @ self.features.to(queries.dtype, copy=True).t()

    @torch.no_grad()
    def enqueue(self, features: Tensor) -> None:
        """Replace the oldest features by those of all processes.

        Args:
            features: Shape ``(N, dim)`` on this process. Where more arrive than fit,
                the last ``size`` stay.
        """
        new = gather_rows(features).to(self.features.dtype)
        skipped = max(len(new) - self.size, 0)
        kept = new[skipped:]
        # On the device throughout: reading the pointer would stall a GPU.
        slots = self.pointer + skipped + torch.arange(len(kept), device=new.device)
        self.features[slots % self.size] = kept
        self.pointer.copy_((self.pointer + len(new)) % self.size)
