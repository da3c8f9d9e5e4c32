"""First-in, first-out queue of teacher features: anchors or negatives."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.memory.gather import gather_rows
from mmkd.rule import Rule, check_rule


class FeatureQueue(nn.Module):
    """The last ``size`` features of width ``dim``, the same on every process.

    Source: MoCo, https://arxiv.org/abs/1911.05722. The number of features that enter at
    once is free: it need not divide ``size``.

    Args:
        size: Number of features kept.
        dim: Width of a feature.
        rule: ``'ours'`` (default): every feature starts with norm 1. ``'official'``:
            the random start is normalised over the queue and not per feature, as in
            auxSKD's official code, so that norms are about ``sqrt(dim / size)``.

    Raises:
        UserError: If ``size`` or ``dim`` is not positive, or there is no such rule.
    """

    features: Tensor
    pointer: Tensor

    def __init__(self, size: int, dim: int, rule: Rule = 'ours') -> None:
        super().__init__()
        if size < 1 or dim < 1:
            raise UserError(
                f'a feature queue of size {size} and width {dim} cannot be built',
                'Give positive numbers.',
            )
        official = check_rule('FeatureQueue', rule)
        start = functional.normalize(torch.randn(size, dim), dim=0 if official else 1)
        self.register_buffer('features', start)
        self.register_buffer('pointer', torch.zeros((), dtype=torch.long))

    @property
    def size(self) -> int:
        """Number of features kept."""
        return len(self.features)

    def similarities(self, queries: Tensor) -> Tensor:
        """Return the dot products ``(N, size)`` of queries ``(N, dim)`` with all.

        Gradient flows to the queries only.
        """
        # The copy keeps the graph valid when new features enter before backward.
        return queries @ self.features.to(queries.dtype, copy=True).t()

    @torch.no_grad()
    def own_similarities(self, most: int) -> Tensor | None:
        """Return the dot products of the first features in the queue with all of it.

        That of a feature with itself is ``-inf``: a query is never in the queue.

        Args:
            most: How many features are taken as queries, the first ones.

        Returns:
            Shape ``(min(most, size), size)``; None where one feature is all.
        """
        if self.size == 1:
            return None
        found = self.features[:most] @ self.features.t()
        return found.fill_diagonal_(float('-inf'))

    @torch.no_grad()
    def enqueue(self, features: Tensor) -> None:
        """Replace the oldest features by those ``(N, dim)`` of all processes.

        Where more arrive than fit, the last ``size`` stay.
        """
        new = gather_rows(features).to(self.features.dtype)
        skipped = max(len(new) - self.size, 0)
        kept = new[skipped:]
        # Queue indices (R,) of the kept features (R, dim).
        # On the device throughout: reading the pointer would stall a GPU.
        slots = self.pointer + skipped + torch.arange(len(kept), device=new.device)
        self.features[slots % self.size] = kept
        self.pointer.copy_((self.pointer + len(new)) % self.size)
