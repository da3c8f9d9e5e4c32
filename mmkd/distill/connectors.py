"""Connectors: bring the student's features to the teacher's width."""

from torch import Tensor, nn

from mmkd.models.heads import mlp
from mmkd.registry import MODELS


@MODELS.register_module()
class LinearConnector(nn.Linear):
    """A linear layer ``W x + b``, ``(N, in_channels)`` to ``(N, out_channels)``.

    Source: FitNets' regressor, https://arxiv.org/abs/1412.6550, on pooled features.

    Args:
        in_channels: Width of the student's feature.
        out_channels: Width of the teacher's.

    Example:
        In a config, :class:`~mmkd.distill.Distiller` fills in both widths.

        >>> import torch
        >>> connector = LinearConnector(in_channels=8, out_channels=16)
        >>> connector(torch.zeros(2, 8)).shape
        torch.Size([2, 16])
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels)


@MODELS.register_module()
class ConvConnector(nn.Conv3d):
    """A 1x1x1 convolution on maps ``(N, in_channels, t, h, w)``.

    Source: FitNets' convolutional regressor, https://arxiv.org/abs/1412.6550.

    Args:
        in_channels: Width of the student's map.
        out_channels: Width of the teacher's.

    Example:
        In a config, :class:`~mmkd.distill.Distiller` fills in both widths.

        >>> import torch
        >>> connector = ConvConnector(in_channels=8, out_channels=16)
        >>> connector(torch.zeros(2, 8, 1, 7, 7)).shape
        torch.Size([2, 16, 1, 7, 7])
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=1)


@MODELS.register_module()
class MLPConnector(nn.Module):
    """Two linear layers on vectors, ``W2 relu(BatchNorm(W1 x + b1)) + b2``.

    Source: as the projections of SimCLR, https://arxiv.org/abs/2002.05709.

    Args:
        in_channels: Width of the student's feature.
        out_channels: Width of the teacher's.
        hidden_channels: Defaults to None: ``in_channels``.

    Example:
        In a config, :class:`~mmkd.distill.Distiller` fills in the outer widths.

        >>> import torch
        >>> connector = MLPConnector(in_channels=8, out_channels=16, hidden_channels=32)
        >>> connector(torch.zeros(2, 8)).shape
        torch.Size([2, 16])
    """

    def __init__(
        self, in_channels: int, out_channels: int, hidden_channels: int | None = None
    ) -> None:
        super().__init__()
        self.layers = mlp(in_channels, out_channels, hidden_channels or in_channels)

    def forward(self, student: Tensor) -> Tensor:
        """Return ``(N, out_channels)`` for ``(N, in_channels)``."""
        return self.layers(student)
