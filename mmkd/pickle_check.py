"""Check what a pickle would build, and how large, before it is loaded.

A pickle is a program. Even one that may name only tensors and plain values can ask for
more memory than there is (``bytearray(9 * 10**9)`` takes 40 bytes), or for work without
end (the hash of a tuple of tuples of tuples). Here it is run with an inert stand-in for
every object, by Python's own unpickler.
"""

import io
import pickle
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn

_SCALARS = (str, bytes, int, bool, type(None))
_LARGEST = 2**61 - 1  # integers below it have hashes of their own
_MAPPINGS = {'collections.OrderedDict', 'collections.Counter', 'builtins.dict'}
_SETS = {'set', 'frozenset'}
_BYTES = {'bytes', 'bytearray'}
_BUILTINS = 'builtins.'
_DEEPEST = 64
_FEW = 1_000_000  # entries that no limit is put to


class UnsafePickleError(pickle.UnpicklingError):
    """A pickle asks for objects that it may not have.

    Args:
        names: Their full names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(dict.fromkeys(names))
        super().__init__(', '.join(self.names))


class ExcessivePickleError(pickle.UnpicklingError):
    """A pickle asks for more than its bytes can account for; the text says what."""


class _Stateful:
    """Keeps what the state of an object would have been set to."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class Inert(_Stateful):
    """Stands for an object that a pickle asks for.

    Args:
        name: Full name of what would have been called.
        args: With what.
    """

    def __init__(self, name: str, args: tuple[Any, ...] = ()) -> None:
        self.name, self.args = name, args

    def __repr__(self) -> str:
        return f'<{self.name}>'


class InertMapping(_Stateful, dict[Any, Any]):
    """Stands for a kind of dict."""


class Global(Inert):
    """Stands for a class or function.

    Args:
        name: Its full name.
        run: What notes its calls.
    """

    def __init__(self, name: str, run: '_DryRun') -> None:
        super().__init__(name)
        self.run = run

    def __call__(self, *args: Any) -> Any:
        """Return a stand-in for the result."""
        return self.run.call(self.name, args)


@dataclass
class PickleContent:
    """What a pickle would have built.

    Attributes:
        root: The object, of plain values and stand-ins.
        calls: Stand-ins of all objects, in the order in which they are built.
        storages: What tensors refer to outside the pickle.
    """

    root: Any = None
    calls: list[Inert] = field(default_factory=list)
    storages: list[tuple[Any, ...]] = field(default_factory=list)


def check_pickle(file: io.BytesIO, allowed: Container[str]) -> PickleContent:
    """Run one pickle with stand-ins and check how much it asks for.

    Raises:
        UnsafePickleError: If it asks for anything else.
        ExcessivePickleError: If it asks for much more memory than it has bytes, is
            nested more than 64 deep or in itself, or has keys that take for ever.
        Exception: Of any kind, if it is damaged.
    """
    run = _DryRun(file, allowed)
    try:
        run.content.root = run.load()
    except Exception as error:
        # What was refused may well end the rest: stand-ins can do little.
        if run.unsafe:
            raise UnsafePickleError(run.unsafe) from error
        raise
    if run.unsafe:
        raise UnsafePickleError(run.unsafe)
    calls = run.content.calls
    kept = [run.content.root, *(one for c in calls for one in (c.args, c.state))]
    _check_nest(kept, limit=max(_FEW, 4 * run.size))
    return run.content


class _DryRun(pickle._Unpickler):
    """Python's own unpickler, which builds nothing but plain values."""

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(
        pickle._Unpickler.dispatch
    )
    # What Python's own sets, and no stub declares.
    stack: list[Any]
    append: Callable[[Any], None]
    pop_mark: Callable[[], list[Any]]
    read: Callable[[int], bytes]

    def __init__(self, file: io.BytesIO, allowed: Container[str]) -> None:
        super().__init__(file, encoding='latin1')  # of the strings of Python 2
        self.size = len(file.getbuffer())
        self.allowed = allowed
        self.unsafe: list[str] = []
        self.content = PickleContent()

    def find_class(self, module: str, name: str) -> Global:
        module = 'builtins' if module == '__builtin__' else module  # of Python 2
        full = f'{module}.{name}'
        if full not in self.allowed:
            self.unsafe.append(full)
        return Global(full, self)

    def persistent_load(self, pid: Any) -> Inert:
        if not isinstance(pid, tuple):
            raise ExcessivePickleError('refers to something that is no storage')
        self.content.storages.append(pid)
        return Inert('storage', pid)

    def call(self, name: str, args: tuple[Any, ...]) -> Any:
        """Return what stands for the result of a call."""
        if name in _MAPPINGS:
            pairs = args[0] if args else {}
            pairs = list(pairs.items() if isinstance(pairs, dict) else pairs)
            _check_keys([key for key, _ in pairs])
            return InertMapping(pairs)
        short = name.partition('.')[2] if name.startswith(_BUILTINS) else ''
        # bytes(n) makes room for n of them; of a content it is as large as that.
        if short in _BYTES and args and not _has_bytes(args[0]):
            raise ExcessivePickleError(f'asks for {short} of a length, not a content')
        if short in _SETS:
            for items in args:
                _check_keys(items if isinstance(items, list | tuple) else ())
        if name == 'torch._tensor._rebuild_from_type_v2':
            function, _, inner, _ = args
            return function(*inner)
        self.content.calls.append(Inert(name, args))
        return self.content.calls[-1]

    def load_reduce(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = _expect(self.stack[-1], Global)(*args)

    load_newobj = load_reduce

    def load_newobj_ex(self) -> None:
        self.stack.pop()  # keywords
        self.load_reduce()

    def load_append(self) -> None:
        value = self.stack.pop()
        _expect(self.stack[-1], list).append(value)

    def load_appends(self) -> None:
        items = self.pop_mark()
        _expect(self.stack[-1], list).extend(items)

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        _check_keys([key])
        _expect(self.stack[-1], dict)[key] = value

    def load_setitems(self) -> None:
        items = self.pop_mark()
        _check_keys(items[::2])
        _expect(self.stack[-1], dict).update(zip(items[::2], items[1::2], strict=True))

    def load_dict(self) -> None:
        items = self.pop_mark()
        _check_keys(items[::2])
        self.append(dict(zip(items[::2], items[1::2], strict=True)))

    def load_additems(self) -> None:
        items = self.pop_mark()
        _check_keys(items)
        _expect(self.stack[-1], set).update(items)

    def load_frozenset(self) -> None:
        items = self.pop_mark()
        _check_keys(items)
        self.append(frozenset(items))

    def load_bytearray8(self) -> None:
        # Python's own makes the room before it looks for the bytes.
        length = int.from_bytes(self.read(8), 'little')
        if length > self.size:
            raise ExcessivePickleError(f'asks for {length} bytes')
        self.append(bytearray(self.read(length)))

    def load_ext1(self) -> NoReturn:
        raise UnsafePickleError(['an extension of the program that reads it'])

    load_ext2 = load_ext4 = load_ext1


# Python's own table names its functions, and knows nothing of what stands above.
for _name, _load in list(vars(_DryRun).items()):
    if _name.startswith('load_'):
        _DryRun.dispatch[getattr(pickle, _name[5:].upper())[0]] = _load


def _has_bytes(value: Any) -> bool:
    return isinstance(value, str | bytes | bytearray | list) or (
        isinstance(value, Inert) and value.name == '_codecs.encode'
    )


def _expect(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise pickle.UnpicklingError(f'no {kind.__name__} to be filled or called')
    return value


def _check_keys(keys: Iterable[Any]) -> None:
    """Refuse keys whose hashes take for ever: tuples in tuples, huge integers."""
    for key in keys:
        for part in key if type(key) is tuple else (key,):
            large = isinstance(part, int) and abs(part) >= _LARGEST
            if not isinstance(part, (*_SCALARS, Inert)) or large:
                raise ExcessivePickleError(f'has a {type(part).__name__} in a key')


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        state = value.state if isinstance(value, InertMapping) else None
        return [*value.keys(), *value.values(), state]
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    return []


def _check_nest(root: Any, limit: int) -> None:
    """Refuse what is nested too deep, in itself, or is larger unfolded than allowed.

    A list that holds a list twice, which holds another twice, is small in memory and
    endless for whoever walks through it. Stand-ins are not entered.
    """
    sizes: dict[int, int] = {}
    depths: dict[int, int] = {}
    open_ids: set[int] = set()
    stack = [(root, False)]
    while stack:
        value, done = stack.pop()
        key, parts = id(value), _parts(value)
        if not done:
            if key in open_ids:
                raise ExcessivePickleError('holds a container that holds itself')
            if key not in sizes and parts:
                open_ids.add(key)
                stack.append((value, True))
                stack.extend((part, False) for part in parts)
            elif key not in sizes:
                long = isinstance(value, str | bytes | bytearray)
                sizes[key] = 1 + (len(value) // 64 if long else 0)
                depths[key] = 0
        else:
            open_ids.discard(key)
            sizes[key] = 1 + sum(sizes[id(part)] for part in parts)
            depths[key] = 1 + max(depths[id(part)] for part in parts)
            if depths[key] > _DEEPEST:
                raise ExcessivePickleError(f'is nested more than {_DEEPEST} deep')
            if sizes[key] > limit:
                raise ExcessivePickleError('repeats itself without end')
