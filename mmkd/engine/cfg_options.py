"""Merge options ``a.b.0.c=value`` into a config, and refuse unknown keys."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config

from mmkd.config_files import run_names
from mmkd.engine.config_types import (
    CONFIG_ONLY,
    FREE,
    ConfigPath,
    accepted_names,
    nearest_names,
    written,
)
from mmkd.engine.preflight.arguments import check_sections, meant_name
from mmkd.errors import UserError

_MISSING = object()
_READ_ELSEWHERE = {'num_splits', 'parser'}  # variables that programs beside a run read


def merge_cfg_options(
    cfg: Config, options: Mapping[str, Any] | None, source: str = '--cfg-options'
) -> None:
    """Merge options into a config.

    A key must be in the config already, or be an argument of the class at that spot. At
    the top level it may be any name that is not nearly one that a run reads, but for
    a variable that the config has used already.

    Args:
        cfg: The config; changed in place.
        options: Values by dotted key. An item of a list is named by its type, if no
            other item has it (``pipeline.Resize.scale``), or by its index.
        source: Where the options come from, for the messages.

    Raises:
        UserError: If a key fits nowhere, with the nearest name; or if nothing reads
            it any more, with the key that does. The config is then as it was.
    """
    if not options:
        return
    before = cfg._cfg_dict.to_dict()
    options = {by_index(before, key): value for key, value in options.items()}
    for key in options:
        _check_path(before, key, f'{source} {key}')
        _check_variable(before, key, f'{source} {key}')
    merged = Config(before, filename=cfg.filename)
    try:
        merged.merge_from_dict(dict(options))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        reason = ' '.join(str(error.args[0] if error.args else error).split())
        raise UserError(f'{source} do not fit {cfg.filename}: {reason}') from error
    after = merged._cfg_dict.to_dict()
    check_sections(after, f'{source} on {cfg.filename}')
    for key in options:
        _check_names_of(key, before, after, f'{source} {key}')
    cfg.merge_from_dict(dict(options))


def by_index(cfg: Mapping[str, Any], key: str) -> str:
    """Return a key in which the types of list items have become their indices.

    ``pipeline.Resize.scale`` is ``pipeline.3.scale`` where the only ``Resize`` of the
    list is item 3; ``EvenClips`` stands for ``mmkd.EvenClips``, too. What names no
    item, or several, stays.
    """
    node: Any = cfg
    parts = key.split('.')
    for depth, part in enumerate(parts):
        if isinstance(node, list):
            named = [str(index) for index, item in enumerate(node) if _is(item, part)]
            if len(named) == 1:
                parts[depth] = part = named[0]
            inside = part.isdecimal() and int(part) < len(node)
            node = node[int(part)] if inside else None
        else:
            node = node.get(part) if isinstance(node, Mapping) else None
    return '.'.join(parts)


def _is(item: Any, name: str) -> bool:
    kind = item.get('type') if isinstance(item, Mapping) else None
    return isinstance(kind, str) and kind.rpartition('.')[2] == name


def check_cfg_options(cfg: Config, options: Mapping[str, Any], source: str) -> None:
    """Check options as :func:`merge_cfg_options` does; the config stays as it is."""
    copy = Config(cfg._cfg_dict.to_dict(), filename=cfg.filename)
    merge_cfg_options(copy, dict(options), source)


def _check_path(cfg: Mapping[str, Any], key: str, option: str) -> None:
    """Check that a key leads through dicts and lists only."""
    parts = key.split('.')
    if not all(parts):
        raise UserError(f'{option}: there is a name missing', 'Write a.b=VALUE.')
    node: Any = cfg
    for depth, part in enumerate(parts):
        if isinstance(node, list):
            if not part.isdecimal() or int(part) >= len(node):
                raise UserError(
                    f'{option}: {".".join(parts[:depth])} is a list of {len(node)}, it '
                    f'has no {part!r}',
                    f'Give an index from 0 to {len(node) - 1}.' if node else '',
                )
            node = node[int(part)]
        elif isinstance(node, Mapping):
            node = node.get(part, _MISSING)
            if node is _MISSING:
                return
        else:
            raise UserError(
                f'{option}: {".".join(parts[:depth])} is {node!r}, which has no '
                f'{part!r}',
                'Give a whole value, or write a config that replaces it.',
            )


def _check_variable(cfg: Mapping[str, Any], key: str, option: str) -> None:
    """Refuse to change a variable that the config itself has used already."""
    name, dot, rest = key.partition('.')
    if name not in cfg or name in run_names() | _READ_ELSEWHERE:
        return
    became = next(_found(cfg[name], name, cfg), None)
    if became is not None:  # else it is for code of the user's own
        raise UserError(
            f'{option}: {name} is a variable that the config used when it was read; '
            'nothing reads it now',
            f'Change it in the config, or give {became}{dot}{rest}.',
        )


def _found(value: Any, name: str, node: Any, key: str = '') -> Iterator[str]:
    """Yield the keys of what a variable became: where a run reads what it held."""
    items = node.items() if isinstance(node, Mapping) else enumerate(node)
    for part, inner in items:
        if not key and part not in run_names():
            continue
        inside = f'{key}.{part}' if key else str(part)
        if _is_made_of(value, inner) or (part == name and not _is_nested(value)):
            yield inside
        elif _is_nested(inner):
            yield from _found(value, name, inner, inside)


def _is_made_of(value: Any, found: Any) -> bool:
    """Tell whether a dict or list of a config is a variable, perhaps changed since."""
    if not isinstance(value, Mapping) or not isinstance(found, Mapping) or not value:
        return _is_nested(value) and bool(value) and found == value
    same_kind = value.get('type') in (None, found.get('type'))
    return same_kind and value.keys() <= found.keys()


def _is_nested(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple))


def _check_names_of(
    key: str, before: Mapping[str, Any], after: Mapping[str, Any], option: str
) -> None:
    """Check the names of a key, from the outside in."""
    old: Any = before
    new: Any = after
    path: ConfigPath = ()
    for part in key.split('.'):
        if isinstance(new, list):
            index = int(part)
            old = old[index] if isinstance(old, list) else _MISSING
            new, path = new[index], (*path, index)
            continue
        if _is_free(path):
            return
        known = isinstance(old, Mapping) and part in old
        if not known and part not in CONFIG_ONLY:
            _check_new(path, part, old, new, after, option)
        old = old.get(part, _MISSING) if isinstance(old, Mapping) else _MISSING
        new, path = new.get(part, _MISSING), (*path, part)
        if isinstance(old, Mapping) and isinstance(new, (bool, int, float)):
            raise UserError(
                f'{option}: {written(path)} is a dict, not {new!r}',
                f'Give what is in it: {written(path)}.KEY=VALUE.',
            )
        if not isinstance(new, (Mapping, list)):
            return


def _is_free(path: ConfigPath) -> bool:
    """Tell whether the names in a dict are the user's own."""
    if not path:
        return False
    return any(part in FREE for part in path) or path[0] not in run_names()


def _check_new(
    path: ConfigPath,
    name: str,
    old: Any,
    new: Mapping[str, Any],
    cfg: Mapping[str, Any],
    option: str,
) -> None:
    """Check a name that is not in the config, for a dict at ``path``."""
    if not path:
        meant = meant_name(name)
        if meant is not None:
            raise UserError(f'{option}: nothing reads {name}', f'Did you mean {meant}?')
        return
    spot = accepted_names(path, new, cfg)
    there = set(old) - CONFIG_ONLY if isinstance(old, Mapping) else set()
    value = new.get(name)
    if spot is None:
        # No class says what may stand in a dict. One that is new holds what it likes,
        # as does a further object among others.
        if not there or (isinstance(value, Mapping) and 'type' in value):
            return
        raise UserError(
            f'{option}: {written(path)} has no {name!r}',
            nearest_names(name, there) or f'It has: {", ".join(sorted(there))}.',
        )
    if not spot.allows(name, value):
        # What a class drops is no fault of an older config; of an option it is.
        spot.refuse(name, option, spot.closed or spot.drops, there)
