"""Distil a human parser: every space-time cell says which body parts it shows."""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.methods.human_prior.load_part_maps import PART_MAPS
from mmkd.methods.human_prior.part_shares import (
    Form,
    has_person,
    part_distribution,
    person_weights,
    pool_parts,
)
from mmkd.models.metrics import most_frequent
from mmkd.models.tasks import EncodedViews, PretextTask
from mmkd.part_labels import get_label_set
from mmkd.registry import MODELS

Mask = Literal['cells', 'frames', 'none']


@MODELS.register_module()
class ParsingDistill(PretextTask):
    """Distil part segmentation: predict the share of each body part in every cell.

    The targets are part maps of a frozen human parser, aligned with the clip's pixels
    and pooled over the cells of the student's map. With the shares ``q_c`` of the parts
    in cell ``c``, its weight ``w_c`` by ``person_weights``, and ``p_c``, the softmax of
    a 1x1x1 convolution of the map (which exists in pre-training only)::

        L = sum_c w_c * KL(q_c || p_c) / sum_c w_c

    Both sums are over all processes. Other forms than KL: ``part_distribution``.

    Source: that a frozen human-parsing model is distilled in pre-training, beside
    contrastive learning, is from https://arxiv.org/abs/2204.12729, of which the
    abstract only is known to us. Everything else is ours.

    Args:
        in_channels: Width of the map that it reads.
        label_set: Name in :data:`mmkd.part_labels.LABEL_SETS`, that of the parser.
            Defaults to ``'lip'``.
        stage: Module of the backbone whose map it reads, e.g. ``'layer3'``. Defaults
            to None: the last map.
        form: ``'kl'``: the distribution of parts; ``'ce'``: the largest part;
            ``'bce'``: which parts are there; see
            :func:`~mmkd.methods.human_prior.part_distribution`. Defaults to ``'kl'``.
        background_weight: Weight of a cell of nothing but background, where one of
            nothing but person weighs 1. Defaults to 0.1.
        mask: ``'cells'``: cells without a person do not count; ``'frames'``: frames
            without a person do not, empty cells of others do; ``'none'``: whatever has
            a map counts. Defaults to ``'cells'``.
        min_share: Least share of a cell of a part, or of a person, that is there.
            Defaults to 0.01.
        views: The student's views. Defaults to the first.
        loss_weight: Defaults to 1.

    Raises:
        UserError: If an option does not exist or is not in 0..1.

    Example:
        >>> tasks = dict(parsing=dict(type='mmkd.ParsingDistill', label_set='lip'))
        >>> load = dict(type='mmkd.LoadPartMaps', cache='data/ucf101/maps/schp_lip')
        >>> align = dict(type='mmkd.AlignPartMaps', size=56)
        >>> earlier = dict(type='mmkd.ParsingDistill', stage='layer3', form='ce')
    """

    def __init__(
        self,
        in_channels: int,
        label_set: str = 'lip',
        stage: str | None = None,
        form: Form = 'kl',
        background_weight: float = 0.1,
        mask: Mask = 'cells',
        min_share: float = 0.01,
        views: Sequence[int] = (0,),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(views, loss_weight=loss_weight, stage=stage)
        for name, value, known in (('form', form, Form), ('mask', mask, Mask)):
            if value not in get_args(known):
                raise UserError(
                    f'ParsingDistill: {name}={value!r}',
                    f'Use one of {", ".join(get_args(known))}.',
                )
        if not (0 <= background_weight <= 1 and 0 <= min_share <= 1):
            raise UserError(
                f'ParsingDistill: background_weight {background_weight}, min_share '
                f'{min_share}',
                'Both are in 0..1.',
            )
        self.label_set = get_label_set(label_set)
        self.form = form
        self.background_weight = background_weight
        self.mask = mask
        self.min_share = min_share
        # With it and without it, all other random numbers are the same.
        with torch.random.fork_rng(devices=[]):
            self.head = nn.Conv3d(in_channels, len(self.label_set.labels), 1)
        self._checked = False

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss``; ``acc``: where the largest part is right; ``person``.

        ``loss`` and ``acc`` are means over the weighted cells of all processes,
        ``person`` is the share of cells that weigh anything. ``chance`` is the ``acc``
        of the most frequent part, and ``gain`` by how much the loss is below that of
        the best answer that is the same in every cell.

        Args:
            batch: Maps ``(N, C, t, h, w)`` of the student and part maps of its views.

        Raises:
            UserError: If the samples have no part maps, or those of other labels.
        """
        try:
            target = batch.targets[PART_MAPS]
        except KeyError:
            raise UserError(
                'a task needs part maps, and the samples have none',
                'Add mmkd.LoadPartMaps and mmkd.AlignPartMaps to the pipeline, or use '
                'mmkd.ParsingPreprocessor.',
            ) from None
        # V * N clips, view after view: (V * N, K, t, h, w), then maps as in targets().
        logits = torch.cat([self.head(batch.student[view]) for view in self.views])
        maps = torch.cat([target.maps[:, view] for view in self.views])
        valid = torch.cat([target.valid[:, view] for view in self.views])
        share, weights = self.targets(maps, valid, logits.shape)
        # Losses and weights (V * N, t, h, w).
        losses = part_distribution(logits, share, self.form, self.min_share)
        weights = weights.to(losses.dtype)
        total = weights.sum()
        # The mean over processes of what is returned is that of one process.
        all_reduce(total, 'mean')
        total = total.clamp(min=1e-6)
        parts = share.argmax(dim=1)
        constant = self._constant_answer(share, weights, total)
        ignorant = part_distribution(constant, share, self.form, self.min_share)
        right = (logits.detach().argmax(dim=1) == parts).float()
        return {
            'loss': (losses * weights).sum() / total,
            'acc': (right * weights).sum() / total,
            'person': (weights > 0).float().mean(),
            'chance': most_frequent(parts, weights, share.shape[1]),
            'gain': ((ignorant - losses.detach()) * weights).sum() / total,
        }

    def _constant_answer(self, share: Tensor, weights: Tensor, total: Tensor) -> Tensor:
        """Return the best logits that are the same in all cells, ``(N, K, t, h, w)``.

        ``total`` is the sum of the ``weights``, as a mean over the processes.
        """
        answer = share.to(weights.dtype)
        if self.form == 'ce':
            parts = share.argmax(dim=1)
            answer = functional.one_hot(parts, share.shape[1]).movedim(-1, 1)
        elif self.form == 'bce':
            answer = share >= self.min_share
        # (K,)
        mean = (answer * weights[:, None]).sum(dim=(0, 2, 3, 4)) / total
        all_reduce(mean, 'mean')
        logits = mean.clamp(1e-6, 1 - 1e-6)
        logits = logits.logit() if self.form == 'bce' else logits.log()
        return logits[None, :, None, None, None].expand_as(share)

    def targets(
        self, maps: Tensor, valid: Tensor, shape: Sequence[int]
    ) -> tuple[Tensor, Tensor]:
        """Return the shares of the parts, and the weights of the cells.

        Args:
            maps: Part maps ``(N, T, s, s)`` or ``(N, T, K, s, s)``.
            valid: Whether a frame has a map, ``(N, T)``.
            shape: Shape of the logits, ``(N, K, t, h, w)``.

        Returns:
            Shapes ``(N, K, t, h, w)`` and ``(N, t, h, w)``.

        Raises:
            UserError: If the maps are of another label set.
        """
        self._check(maps)
        background = self.label_set.background
        if self.mask == 'frames':
            valid = valid & has_person(maps, background)
        share, known = pool_parts(maps, valid, shape[1], shape[2:])
        least = self.min_share if self.mask == 'cells' else 0.0
        weights = person_weights(
            share, known, background, self.background_weight, least
        )
        return share, weights

    def _check(self, maps: Tensor) -> None:
        """Compare the first maps with the label set; later ones are of the same kind.

        Looking at every batch would make the device wait.
        """
        if self._checked or maps.is_meta:
            return
        known = len(self.label_set.labels)
        # One more than the largest label; outside of the frame, 255 becomes 0.
        found = int((maps + 1).max()) if maps.ndim == 4 else maps.shape[2]
        if found > known or (maps.ndim == 5 and found != known):
            raise UserError(
                f'ParsingDistill has the {known} labels of {self.label_set.name!r}, '
                f'the part maps have {found} or more',
                'Give label_set of the parser that made the maps.',
            )
        self._checked = True
