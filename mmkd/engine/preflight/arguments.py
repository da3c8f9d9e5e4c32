"""Misspelt types and arguments of this package, wherever a config names them."""

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from inspect import Parameter
from typing import Any

from mmengine.config import Config
from mmengine.registry import Registry

from mmkd import registry
from mmkd.engine.preflight.walk import walk
from mmkd.errors import UserError

_PREFIX = 'mmkd.'
_NAMED = (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_CONFIG_ONLY = {'type', '_scope_', '_delete_'}
_REGISTRIES = [
    value for value in vars(registry).values() if isinstance(value, Registry)
]


def check_arguments(cfg: Config) -> None:
    """Compare every dict of a ``mmkd.*`` type with the signature of its class.

    Args:
        cfg: Config.

    Raises:
        UserError: If there is no such type, or it takes no such argument.
    """
    for place, node in walk(cfg._cfg_dict):
        name = node.get('type')
        if isinstance(name, str) and name.startswith(_PREFIX):
            _check_node(f'{cfg.filename}, {place}', name, node)


def _check_node(where: str, name: str, node: Mapping[str, Any]) -> None:
    cls = _find(name)
    if cls is None:
        raise UserError(f'{where}: there is no type {name!r}', _nearest_type(name))
    known, closed = accepted_arguments(cls)
    for key in node:
        if key in known or key in _CONFIG_ONLY:
            continue
        nearest = get_close_matches(key, known, n=3, cutoff=0.6 if closed else 0.8)
        # Where arguments are passed on to who knows whom, only an evident slip counts.
        if closed or nearest:
            hint = f'Did you mean {" or ".join(nearest)}?' if nearest else ''
            known_names = ', '.join(sorted(known)) or 'none'
            raise UserError(
                f'{where}: {name} has no argument {key!r}',
                hint or f'It takes: {known_names}.',
            )


def accepted_arguments(cls: Callable[..., Any]) -> tuple[set[str], bool]:
    """Return the names that a class (or function) takes, and whether these are all.

    ``**kwargs`` is followed to the next class in the method resolution order.

    Args:
        cls: Class or function.
    """
    owners = inspect.getmro(cls) if inspect.isclass(cls) else (cls,)
    known: set[str] = set()
    for owner in owners:
        parameters = _parameters(owner)
        known |= {p.name for p in parameters if p.kind in _NAMED}
        if parameters and all(p.kind is not Parameter.VAR_KEYWORD for p in parameters):
            return known - {'self'}, True
    return known - {'self'}, False


def _parameters(owner: Callable[..., Any]) -> list[Parameter]:
    """Parameters of a function, or of the ``__init__`` that a class defines itself."""
    if not inspect.isclass(owner):
        return list(inspect.signature(owner).parameters.values())
    # A class without an __init__ of its own leaves the question to the next one, and
    # ``object`` at the end takes nothing more.
    init = vars(owner).get('__init__')
    if init is None:
        return []
    return list(inspect.signature(init).parameters.values())


def _find(name: str) -> Callable[..., Any] | None:
    for one in _REGISTRIES:
        found = one.get(name)
        if found is not None:
            return found
    return None


def _nearest_type(name: str) -> str:
    types = [_PREFIX + key for one in _REGISTRIES for key in one.module_dict]
    # Most names share their beginning and their end.
    nearest = get_close_matches(name, types, n=3, cutoff=0.75)
    return f'Did you mean {" or ".join(nearest)}?' if nearest else ''
