"""PCL: a pretext task together with a contrast of two clips of a video."""

from collections.abc import Sequence
from math import log
from typing import Any

import torch
from mmengine import dist
from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.heads import mlp, pool_map
from mmkd.models.losses import info_nce
from mmkd.models.memory import MemoryBank, gather_rows
from mmkd.models.memory.gather import row_counts
from mmkd.models.tasks import EncodedViews, PretextTask, same_for_all
from mmkd.registry import MODELS


class UniformNegatives(nn.Module):
    """Draw negatives from a bank: uniform, with replacement, the own index included.

    A draw depends on a seed and the number of draws before it, both of which are in the
    checkpoint, and covers the batches of all processes: it is the same on one process
    and on several, and after a resume. In eval mode a draw does not count. The rule is
    that of PCL's official code; the generator is ours.

    Args:
        count: Negatives of a sample, K. Defaults to 1024.

    Raises:
        UserError: If there is no negative.
    """

    seed: Tensor
    steps: Tensor

    def __init__(self, count: int = 1024) -> None:
        super().__init__()
        if count < 1:
            raise UserError(f'{count} negatives for a sample', 'Give 1 or more.')
        self.count = count
        self.register_buffer('seed', torch.randint(2**31, ()))
        self.register_buffer('steps', torch.zeros((), dtype=torch.long))
        # Their sum on the host, so that a step need not wait for the device.
        self._next: int | None = None

    def draw(self, number: int, size: int) -> Tensor:
        """Draw indices ``(N, K)`` into a bank of this size for N samples."""
        if self._next is None:
            self._next = int(self.seed + self.steps)
        device = self.steps.device
        generator = torch.Generator(device).manual_seed(self._next)
        counts, rank = [number], dist.get_rank()
        if dist.get_world_size() > 1:
            counts = row_counts(torch.empty(number, device=device))
        first, total = sum(counts[:rank]), sum(counts)
        shape = (total, self.count)
        bank_indices = torch.randint(size, shape, generator=generator, device=device)
        if self.training:
            self._next += 1
            self.steps += 1
        return bank_indices[first : first + number]

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._next = None


@MODELS.register_module()
class MemoryContrast(PretextTask):
    """InfoNCE: find the video's other clip in a memory bank among negatives.

    Each of two views has a bank with one feature a video. The embedding of a view is
    compared with the *other* view's bank: its own feature is the positive, features
    drawn with replacement are the negatives. Then both banks take in the batch. As in
    the official code its own feature may be among them, which is rare where there are
    many more videos than negatives; ``exclude_own`` is for short lists (ours).

    With the normalised embedding ``z_v`` of video ``i`` in view ``v``, the banks
    ``m_v`` of this and ``m_u`` of the other view, the negatives' indices ``n_k``, and
    ``s(a) = e^(z_v . a / temperature)``::

        L_v    = -log(s(m_u[i]) / (s(m_u[i]) + sum_k s(m_u[n_k])))
        L      = loss_weight * mean over clips of (L_0 + L_2)
        m_v[i] = normalize(momentum * m_v[i] + (1 - momentum) * z_v)

    PCL adds this to the loss of a pretext task. No gradient flows to the banks.

    Source: PCL, https://arxiv.org/abs/2010.15464, after CMC,
    https://arxiv.org/abs/1906.05849; the defaults are those of PCL's released code.

    Args:
        in_channels: Width of the backbone.
        embedding: Width of the embedding. Defaults to 128.
        hidden: Hidden width of the projector, which has no BatchNorm. Defaults to None:
            ``in_channels``.
        num_negatives: Negatives of a clip. Defaults to 1024.
        exclude_own: Draw the negatives from the other videos only. Defaults to False.
        temperature: Defaults to 0.07.
        momentum: Share of the old feature in a bank. Defaults to 0.5.
        size: Videos of the training list. Defaults to None:
            ``mmkd.MemoryBankSizeHook`` counts them.
        views: The two clips. Defaults to ``(0, 2)``.
        loss_weight: Factor on both losses. Defaults to 0.5.

    Raises:
        UserError: If there are not two views.

    Example:
        >>> tasks = dict(
        ...     vcp=dict(type='mmkd.ClipTransform'),
        ...     contrast=dict(type='mmkd.MemoryContrast', views=(0, 2)),
        ... )
        >>> custom_hooks = [dict(type='mmkd.MemoryBankSizeHook')]
    """

    def __init__(
        self,
        in_channels: int,
        embedding: int = 128,
        hidden: int | None = None,
        num_negatives: int = 1024,
        exclude_own: bool = False,
        temperature: float = 0.07,
        momentum: float = 0.5,
        size: int | None = None,
        views: Sequence[int] = (0, 2),
        loss_weight: float = 0.5,
    ) -> None:
        super().__init__(views, loss_weight=loss_weight)
        if len(self.views) != 2:
            raise UserError(
                f'MemoryContrast compares two views, not {self.views}',
                'Give views=(first, second).',
            )
        hidden = hidden or in_channels
        self.projector = mlp(in_channels, embedding, hidden, batch_norm=False)
        self.banks = nn.ModuleList(
            MemoryBank(size, embedding, momentum) for _ in self.views
        )
        self.negatives = UniformNegatives(num_negatives)
        self.exclude_own = exclude_own
        self.temperature = temperature

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss_<view>`` and ``acc_<view>`` of both views; update the banks.

        The accuracy is the share of clips whose positive beats every negative. A
        network to which all features look alike has ``chance`` of it, and ``uniform``
        as its loss, ``ln(1 + num_negatives)``.

        Raises:
            UserError: If the positions of the samples are not known, or outside of the
                banks.
        """
        embeddings = [self._embed(batch.student[view]) for view in self.views]
        own = self._own_indices(batch).to(embeddings[0].device)
        bank_indices = self.bank_indices(own)
        result = {}
        for view, embedding, bank in self._crossed(embeddings):
            # (N, 1 + K): the positive first.
            logits = bank.similarities(embedding, bank_indices)
            positive, negatives = logits[:, 0], logits[:, 1:]
            result[f'loss_{view}'] = info_nce(positive, negatives, self.temperature)
            nearest = positive.detach() > negatives.detach().amax(dim=1)
            result[f'acc_{view}'] = nearest.float().mean()
        count = self.negatives.count
        result['chance'] = same_for_all(1 / (1 + count), embeddings[0])
        result['uniform'] = same_for_all(log(1 + count), embeddings[0])
        if self.training:
            self._update(own, embeddings)
        return result

    def bank_indices(self, own: Tensor) -> Tensor:
        """Return bank indices ``(N, 1 + K)``: the sample's own, and its negatives.

        Raises:
            UserError: If there is no other video to draw negatives from.
        """
        size = self._size() - self.exclude_own
        if size < 1:
            raise UserError(
                'MemoryContrast excludes the own feature, and the bank has no other',
                'Give a list of at least two videos, or exclude_own=False.',
            )
        negatives = self.negatives.draw(len(own), size)
        if self.exclude_own:
            # The indices behind the own one move up by one, over it.
            negatives = negatives + (negatives >= own[:, None])
        return torch.cat([own[:, None], negatives], dim=1)

    def _embed(self, feature_map: Tensor) -> Tensor:
        return functional.normalize(self.projector(pool_map(feature_map)), dim=1)

    def _crossed(
        self, embeddings: list[Tensor]
    ) -> list[tuple[int, Tensor, MemoryBank]]:
        """Return each view's number, its embedding and the other view's bank."""
        banks: list[MemoryBank] = list(self.banks)  # type: ignore[arg-type]
        return list(zip(self.views, embeddings, reversed(banks), strict=True))

    def _update(self, own: Tensor, embeddings: list[Tensor]) -> None:
        everyone = gather_rows(own)
        # (R, 2 * D): both views of all processes side by side, in one exchange.
        joined = gather_rows(torch.cat(embeddings, dim=1))
        for bank, features in zip(self.banks, joined.chunk(2, dim=1), strict=True):
            bank.update(everyone, features)  # type: ignore[operator]

    def _size(self) -> int:
        return len(self.banks[0].features)  # type: ignore[arg-type]

    def _own_indices(self, batch: EncodedViews) -> Tensor:
        if batch.indices is None:
            raise UserError(
                'MemoryContrast needs the index of each video in its list',
                'End the pipeline with mmkd.PackViews.',
            )
        size, largest = self._size(), int(batch.indices.max())
        if largest >= size:
            raise UserError(
                f'MemoryContrast: a memory bank of {size} videos, and video {largest}',
                'Add dict(type="mmkd.MemoryBankSizeHook") to custom_hooks, or set size '
                'to the number of videos.',
            )
        return batch.indices
