"""The contrastive half of PCL: two clips of a video, two memory banks."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.heads import mlp, pool_map
from mmkd.models.losses import info_nce
from mmkd.models.memory import MemoryBank, UniformNegatives, gather_rows
from mmkd.models.tasks.base import EncodedViews, PretextTask
from mmkd.registry import MODELS


@MODELS.register_module()
class MemoryContrast(PretextTask):
    """Find the stored feature of the video's other clip among those of other videos.

    Each of two views has a bank with one feature a video. The embedding of a view is
    compared with the *other* view's bank: its own row is the positive, rows drawn with
    replacement are the negatives. Then both banks take in the batch.

    Source: PCL, https://arxiv.org/abs/2010.15464, after CMC,
    https://arxiv.org/abs/1906.05849; the defaults are those of PCL's released code.

    Args:
        in_channels: Width of the backbone.
        embedding: Width of the embedding. Defaults to 128.
        hidden: Hidden width of the projector, which has no BatchNorm. Defaults to None:
            ``in_channels``.
        num_negatives: Negatives of a clip. Defaults to 1024.
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
        self.temperature = temperature

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss_<view>`` and ``acc_<view>`` of both views; update the banks.

        The accuracy is the share of clips whose positive beats every negative.

        Args:
            batch: Two student views ``(N, C, t, h, w)`` and the places of the samples
                in their list.

        Raises:
            UserError: If the places are not known, or outside of the banks.
        """
        embeddings = [self._embed(batch.student[view]) for view in self.views]
        own = self._own_rows(batch).to(embeddings[0].device)
        rows = self.rows(own)
        result = {}
        for view, embedding, bank in self._crossed(embeddings):
            logits = bank.similarities(embedding, rows)
            positive, negatives = logits[:, 0], logits[:, 1:]
            result[f'loss_{view}'] = info_nce(positive, negatives, self.temperature)
            nearest = positive.detach() > negatives.detach().amax(dim=1)
            result[f'acc_{view}'] = nearest.float().mean()
        if self.training:
            self._update(own, embeddings)
        return result

    def rows(self, own: Tensor) -> Tensor:
        """Return bank rows ``(N, 1 + K)``: the sample's own, and its negatives."""
        negatives = self.negatives.draw(len(own), self._size())
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
        joined = gather_rows(torch.cat(embeddings, dim=1))
        for bank, features in zip(self.banks, joined.chunk(2, dim=1), strict=True):
            bank.update(everyone, features)  # type: ignore[operator]

    def _size(self) -> int:
        return len(self.banks[0].features)  # type: ignore[arg-type]

    def _own_rows(self, batch: EncodedViews) -> Tensor:
        if batch.indices is None:
            raise UserError(
                'MemoryContrast needs the place of each video in its list',
                'End the pipeline with mmkd.PackViews.',
            )
        size, largest = self._size(), int(batch.indices.max())
        if largest >= size:
            raise UserError(
                f'MemoryContrast: a memory bank of {size} rows, and video {largest}',
                'Add dict(type="mmkd.MemoryBankSizeHook") to custom_hooks, or set size '
                'to the number of videos.',
            )
        return batch.indices
