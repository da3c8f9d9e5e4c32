"""Find the arguments that a class takes, including those passed to base classes."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from inspect import Parameter
from typing import Any, get_args, get_type_hints

_NAMED = (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
WHOLE = 'a whole number'
_NUMBERS = {int, float, bool, type(None)}
_READING = ('pop', 'get', 'setdefault')


def accepted_arguments(cls: Callable[..., Any]) -> tuple[set[str], bool]:
    """Return the names that a class (or function) takes, and whether these are all.

    ``**kwargs`` is followed to the next class in the method resolution order, if that
    is where it goes; names that are read out of it belong to those that are taken, and
    those that the class itself gives to the next one do not. Where it goes elsewhere as
    well, the names need not be all.
    """
    owners = inspect.getmro(cls) if inspect.isclass(cls) else (cls,)
    known: set[str] = set()
    given: set[str] = set()
    closed = True
    for owner in owners:
        # ``nn.Module.__init__(*args, **kwargs)`` objects to every argument.
        name = f'{owner.__module__}.{owner.__name__}' if inspect.isclass(owner) else ''
        if owner is object or name == 'torch.nn.modules.module.Module':
            return known - {'self'}, closed
        call = vars(owner).get('__init__') if inspect.isclass(owner) else owner
        if call is None:
            continue  # the next class has the word
        parameters = inspect.signature(call).parameters.values()
        known |= {p.name for p in parameters if p.kind in _NAMED} - given
        rest = [p.name for p in parameters if p.kind is Parameter.VAR_KEYWORD]
        if not rest:
            return known - {'self'}, closed
        found = _read_and_passed_on(call, rest[0])
        if found is None:
            return known - {'self'}, False
        known |= found.read - given
        given |= found.given - known
        closed = closed and found.all_passed_on
    return known - {'self'}, False


@cache
def drops_others(cls: Callable[..., Any]) -> bool:
    """Tell whether a class takes any argument and does nothing with unknown ones."""
    call = cls.__init__ if inspect.isclass(cls) else cls
    try:
        parameters = inspect.signature(call).parameters.values()
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(call))))
    except (OSError, TypeError, ValueError, SyntaxError):
        return False
    rest = [p.name for p in parameters if p.kind is Parameter.VAR_KEYWORD]
    return bool(rest) and not any(_is_name(node, rest[0]) for node in ast.walk(tree))


@cache
def numeric_arguments(cls: Callable[..., Any]) -> Mapping[str, str]:
    """Return the arguments of a class that are annotated as numbers and nothing else.

    Example:
        >>> class Blur:
        ...     def __init__(self, sigma: float, gray: bool | None = None): ...
        >>> numeric_arguments(Blur)
        {'sigma': 'a number', 'gray': 'True, False or None'}
    """
    owners = inspect.getmro(cls) if inspect.isclass(cls) else (cls,)
    found: dict[str, str] = {}
    for owner in owners:
        call = vars(owner).get('__init__') if inspect.isclass(owner) else owner
        if owner is object or call is None:
            continue
        # Others write int where a float does as well.
        owner_is_ours = owner.__module__.startswith('mmkd.')
        try:
            hints = get_type_hints(call)
        except (TypeError, NameError, AttributeError):
            continue
        for name, hint in hints.items():
            words = _in_words(set(get_args(hint) or (hint,)))
            if not owner_is_ours:
                words = words.replace(WHOLE, 'a number')
            found.setdefault(name, words)
    return {name: words for name, words in found.items() if words}


def _in_words(types: set[Any]) -> str:
    """Return what types of numbers take; '' if others are among them."""
    if types == {type(None)} or not types <= _NUMBERS:
        return ''
    may_be_none = type(None) in types
    if types <= {bool, type(None)}:
        return 'True, False or None' if may_be_none else 'True or False'
    words = WHOLE if types <= {int, type(None)} else 'a number'
    return f'{words} or None' if may_be_none else words


@dataclass(frozen=True)
class _Rest:
    """What a constructor does with its ``**kwargs``.

    Attributes:
        read: Names that it reads out of it.
        given: Names that it gives to its base class itself.
        all_passed_on: Whether the base class is all that the others go to.
    """

    read: set[str]
    given: set[str]
    all_passed_on: bool


@cache
def _read_and_passed_on(call: Callable[..., Any], name: str) -> _Rest | None:
    """Return what a constructor does with its ``**kwargs``; None if no base gets it."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(call))))
    except (OSError, TypeError, SyntaxError):
        return None
    uses = [node for node in ast.walk(tree) if _is_name(node, name)]
    explained, passed_on = 0, False
    read: set[str] = set()
    given: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_constructor(node.func):
            rest = [k for k in node.keywords if k.arg is None]
            count = sum(_is_name(k.value, name) for k in rest)
            explained, passed_on = explained + count, passed_on or bool(count)
            if count:
                given |= {k.arg for k in node.keywords if k.arg is not None}
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            keys = set(_keys_read(node, name))
            explained, given = explained + len(keys), given | keys
            continue
        for key in _keys_read(node, name):
            explained += 1
            read.add(key)
    if not passed_on:
        return None
    return _Rest(read, given - read, explained == len(uses))


def _keys_read(node: ast.AST, name: str) -> Iterator[str]:
    key: ast.AST | None = None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if _is_name(node.func.value, name) and node.func.attr in _READING:
            key = node.args[0] if node.args else None
    elif isinstance(node, ast.Subscript) and _is_name(node.value, name):
        key = node.slice
    elif isinstance(node, ast.Compare) and _is_name(node.comparators[0], name):
        key = node.left
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        yield key.value


def _is_constructor(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == '__init__'


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
