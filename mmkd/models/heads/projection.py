"""From a feature map to one vector a clip."""

from torch import Tensor, nn

from mmkd.models.heads.pooling import pool_map


def mlp(
    in_channels: int,
    out_channels: int,
    hidden_channels: int | None = None,
    batch_norm: bool = True,
) -> nn.Sequential:
    """Return a linear layer, or two with BatchNorm and ReLU between them.

    Args:
        in_channels: Width of the input ``(N, in_channels)``.
        out_channels: Width of the output ``(N, out_channels)``.
        hidden_channels: Width of the hidden layer. Defaults to None: none.
        batch_norm: BatchNorm before the ReLU. Defaults to True.
    """
    if hidden_channels is None:
        return nn.Sequential(nn.Linear(in_channels, out_channels))
    norm = [nn.BatchNorm1d(hidden_channels)] if batch_norm else []
    return nn.Sequential(
        nn.Linear(in_channels, hidden_channels),
        *norm,
        nn.ReLU(inplace=True),
        nn.Linear(hidden_channels, out_channels),
    )


class Projection(nn.Module):
    """Pool a map over space and time and project it.

    The part of a task that belongs to the encoder: teachers that follow the student
    hold a copy of it. Source: SimCLR, https://arxiv.org/abs/2002.05709; one linear
    layer in auxSKD.

    Args:
        in_channels: Width of the backbone.
        out_channels: Width of the embedding.
        hidden_channels: Width of a hidden layer. Defaults to None: one linear layer.
    """

    def __init__(
        self, in_channels: int, out_channels: int, hidden_channels: int | None = None
    ) -> None:
        super().__init__()
        self.layers = mlp(in_channels, out_channels, hidden_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(N, out_channels)`` for a map ``(N, in_channels, t, h, w)``."""
        return self.layers(pool_map(x))
