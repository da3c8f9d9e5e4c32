"""Configs of runs: read as data, or executed, where that is trusted."""

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from mmengine.config import Config

from mmkd.errors import UserError
from mmkd.files import read_small_text

T = TypeVar('T')


def read_kept_config(path: Path | None) -> Config | None:
    """Return a config as it was run; None if there is none, or it is a program.

    MMEngine keeps the config of each start (``vis_data/config.py``) whole, in literals
    and calls of ``dict``. Only these are understood, so that a folder from somebody
    else runs no code.
    """
    if path is None:
        return None
    try:
        module = ast.parse(read_small_text(path))
        return Config(dict(_assignment(statement) for statement in module.body))
    # Names that MMEngine reserves, keys that are no keys, depths without end.
    except (OSError, ValueError, SyntaxError, TypeError, KeyError):
        return None
    except (RecursionError, MemoryError):
        return None


def _assignment(statement: ast.stmt) -> tuple[str, Any]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, _value(value)
    raise ValueError('more than assignments')


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Call(func=ast.Name(id='dict'), args=[], keywords=keywords):
            return {_named(x.arg): _value(x.value) for x in keywords}
        # So MMEngine writes keys that are no names.
        case ast.Call(
            func=ast.Name(id='dict'), args=[ast.Dict() as keyed], keywords=[]
        ):
            return _value(keyed)
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {ast.literal_eval(_named(k)): _value(v) for k, v in pairs}
        case ast.List(elts=items):
            return [_value(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item) for item in items)
    return ast.literal_eval(node)


def _named(key: T | None) -> T:
    if key is None:
        raise ValueError('** is more than a literal')
    return key


def executed(path: Path | None) -> Config | None:
    """Return a config that a run kept, read as the program that it is.

    It may import what is not installed here: whatever it raises, the rest of the page
    does not need it. See :func:`read_kept_config` for the other way.
    """
    if path is None:
        return None
    try:
        return Config.fromfile(path)
    except Exception:
        return None


class TrustedPaths:
    """Tell which configs may be executed: those of this package, and below ``roots``.

    Configs are programs, and a JSON report from somebody else may name any.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        package = Path(__file__).parents[2]
        own = [package.parent / 'configs', package / '.mim' / 'configs']
        self._roots = [path.resolve() for path in [*roots, *own]]

    def holds(self, path: str) -> bool:
        """Tell whether a config may be executed."""
        found = Path(path).resolve()
        return any(found.is_relative_to(root) for root in self._roots)

    def check(self, path: str) -> None:
        """Refuse a config that lies elsewhere.

        Raises:
            UserError: If it does.
        """
        if not self.holds(path):
            raise UserError(
                f'its report names the config {path}, a program outside of the folders '
                'of this page, which is not executed',
                'If you trust it, name it after --trust.',
            )
