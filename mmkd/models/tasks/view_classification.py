"""Classify one label of each view with a linear layer."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.heads import pool_map
from mmkd.models.tasks.pretext_task import EncodedViews, PretextTask, classification


class ViewClassification(PretextTask):
    """A linear classifier on the pooled feature of each view.

    A subclass names its label. The views share the classifier. With the pooled feature
    ``h`` of a clip and its label ``y``, the mean over clips and views of::

        L = -log softmax(W h + b)[y]

    A clip whose label is -100 counts as 0 in the mean.

    Args:
        in_channels: Width of the backbone.
        num_classes: Classes of the label. Defaults to None: as many as the sampler
            declares, which our programs fill in.
        views: The views to classify. Defaults to ``(0,)``.
        loss_weight: Factor on the loss. Defaults to 1.

    Attributes:
        label: Name of the label in ``view_labels``.
        option: Argument that is the number of classes.

    Raises:
        UserError: If nothing says how many classes there are.
    """

    label: ClassVar[str]
    option: ClassVar[str] = 'num_classes'

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        views: Sequence[int] = (0,),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(views, loss_weight=loss_weight)
        if num_classes is None:
            raise UserError(
                f'{type(self).__name__}: nothing says how many classes the label '
                f'{self.label!r} has',
                f'Give {self.option}, or declare it in labels of the sampler and train '
                "with mmkd's programs.",
            )
        self.classes = {self.label: num_classes}
        self.classifier = nn.Linear(in_channels, num_classes)

    @classmethod
    def class_options(cls) -> dict[str, str]:
        """Return the option of the label; see :class:`PretextTask`."""
        return {cls.label: cls.option}

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return what :func:`classification` does, for all views."""
        features = [pool_map(batch.student[view]) for view in self.views]
        # (V * N,), view after view; features (V * N, C).
        labels = torch.cat([batch.label(self.label, view) for view in self.views])
        return classification(self.classifier(torch.cat(features)), labels)
