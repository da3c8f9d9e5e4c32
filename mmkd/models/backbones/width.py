"""The number of channels that a backbone delivers."""

from torch import nn

from mmkd.errors import UserError


def output_width(backbone: nn.Module) -> int:
    """Return the channels ``C`` of the last map ``(N, C, t, h, w)``.

    Our networks say it as ``out_channels``, MMAction2's ``ResNet3d`` as ``feat_dim``.

    Raises:
        UserError: If the backbone says neither.
    """
    for attribute in ('out_channels', 'feat_dim'):
        width = getattr(backbone, attribute, None)
        if isinstance(width, int):
            return width
    raise UserError(
        f'{type(backbone).__name__} does not say how many channels it delivers',
        'Give it an attribute out_channels.',
    )
