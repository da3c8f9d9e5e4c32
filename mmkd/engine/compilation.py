"""``torch.compile`` for the networks of a model."""

from typing import Any

from torch import nn

from mmkd.engine.unwrap import unwrap
from mmkd.errors import UserError


def compile_networks(model: nn.Module, options: Any) -> list[str]:
    """Compile each backbone below a model, in place; names of weights stay.

    MMEngine compiles ``train_step`` as a whole, which breaks the graph at every sample,
    log value and memory of it; the arithmetic is in the networks. They are compiled
    when they are first used.

    Args:
        model: The model, wrapped or not.
        options: True, or a dict of arguments of ``torch.compile``.

    Returns:
        Paths of the compiled modules.

    Raises:
        UserError: If ``options`` is something else, or there is no backbone.
    """
    if not (options is True or isinstance(options, dict)):
        raise UserError(f'compile is {options!r}', 'Give True or a dict of arguments.')
    model = unwrap(model)
    # A distiller's teacher is beside the model, not in it.
    beside = getattr(model, 'teacher', None)
    roots = {'': model, 'teacher.': beside} if isinstance(beside, nn.Module) else None
    found = {
        f'{prefix}{name}': module
        for prefix, root in (roots or {'': model}).items()
        for name, module in root.named_modules()
        if name.split('.')[-1] == 'backbone'
    }
    if not found:
        raise UserError('compile: the model has no backbone', 'Leave compile out.')
    for module in found.values():
        module.compile(**(options if isinstance(options, dict) else {}))
    return list(found)
