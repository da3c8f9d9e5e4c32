"""The modules of a backbone's last stage."""

from collections.abc import Sequence

from torch import nn

from mmkd.errors import UserError


def last_stage(backbone: nn.Module) -> Sequence[str]:
    """Return the names of the modules that make the last map of the one before.

    They are children of the backbone and run one after the other, the last of them
    last. Our networks say it as ``last_stage``, MMAction2's ``ResNet3d`` as the end of
    ``res_layers``. Source: ours.

    Raises:
        UserError: If the backbone says neither.
    """
    names = getattr(backbone, 'last_stage', None)
    names = names or getattr(backbone, 'res_layers', [])[-1:]
    if not names:
        raise UserError(
            f'{type(backbone).__name__} does not say which modules are its last stage',
            'Give it an attribute last_stage: the names of these children, in order.',
        )
    return names
