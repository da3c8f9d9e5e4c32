"""Find misspelt types, arguments and top-level names of a config."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook

from mmkd.config_files import run_names
from mmkd.engine.config_types import (
    CONFIG_ONLY,
    PREFIX,
    ConfigPath,
    accepted_names,
    find_class,
    names_for,
    nearest_names,
    walk_paths,
    written,
)
from mmkd.engine.signatures import WHOLE
from mmkd.errors import UserError

_FAR = 2  # letters
_HOOK = "Give dict(type='mmkd.NameOfTheHook'); None leaves a default hook out."
# Parts of a config that a run reads by name.
_DICTS = (
    *('model', 'data_preprocessor', 'optim_wrapper'),
    *('train_dataloader', 'val_dataloader', 'test_dataloader'),
    *('train_cfg', 'val_cfg', 'test_cfg', 'auto_scale_lr'),
    *('default_hooks', 'env_cfg', 'randomness'),
)


def check_arguments(cfg: Config) -> None:
    """Compare every dict that describes an object with the signature of its class.

    Types of mmkd are checked wherever they stand, others in the parts of a config that
    a run builds objects from.
    """
    used = run_names()
    for path, node in walk_paths(cfg._cfg_dict):
        if str(node.get('type')).startswith(PREFIX) or (path and path[0] in used):
            _check_node(cfg, path, node)


def _check_node(cfg: Config, path: ConfigPath, node: Mapping[str, Any]) -> None:
    where = f'{cfg.filename}, {written(path)}'
    _check_type(where, path, node.get('type'))
    spot = accepted_names(path, node, cfg._cfg_dict)
    if spot is None:
        return
    for key, value in node.items():
        words = spot.numbers.get(key)
        broken = isinstance(value, float) and words and WHOLE in words
        if words and (isinstance(value, str) or broken):
            raise UserError(f'{where}: {key} is {value!r}', f'Give {words}.')
        # None takes a hook out.
        if not (key in CONFIG_ONLY or spot.allows(key, value, or_none=True)):
            spot.refuse(key, where, spot.closed)


def _check_type(where: str, path: ConfigPath, name: Any) -> None:
    if not isinstance(name, str) or find_class(name, path) is not None:
        return
    # Most names share their beginning and their end.
    nearest = nearest_names(name, names_for(path), 0.75)
    # ``type`` is a word of other dicts as well: of what a network builds by itself, or
    # of a setting. What is nearly a type is meant as one.
    private = path[:1] == ('model',) and len(path) > 2
    if name.startswith(PREFIX):
        stock = name.removeprefix(PREFIX)
        if find_class(stock, path) is not None:
            # MMEngine would take that one without a word.
            nearest = f'{stock} is not of mmkd: write {stock!r}, or name another one.'
        nearest = nearest or 'Is the module that registers it in custom_imports?'
        raise UserError(f'{where}: there is no type {name!r}', nearest)
    if nearest and not private:
        raise UserError(f'{where}: there is no type {name!r}', nearest)


def check_names(cfg: Config) -> None:
    """Check the top-level names of a config file: none may be nearly one of a run's.

    What the file itself reads, and every other name, is its author's.

    Raises:
        UserError: If a name that nothing reads is two letters or fewer from one that a
            run reads, or a part that has to be a dict is none.
    """
    check_sections(cfg._cfg_dict, str(cfg.filename))
    read: set[str] | None = None
    for name in cfg._cfg_dict:
        meant = meant_name(name)
        if meant is None:
            continue
        if read is None:
            read = set(_names_read(Path(cfg.filename))) if cfg.filename else set()
        if name not in read:
            raise UserError(
                f'{cfg.filename}: nothing reads {name}',
                f'Did you mean {meant}? Otherwise give it another name.',
            )


def check_sections(values: Mapping[str, Any], option: str) -> None:
    """Check that the parts of a config that a run looks into are dicts, or left out.

    So must each hook be, if it is not built already.
    """
    for name in _DICTS:
        value = values.get(name)
        if value is not None and not isinstance(value, Mapping):
            raise UserError(
                f'{option}: {name} is {value!r}, not a dict',
                f'Give a dict, or what is in it: {name}.KEY=VALUE.',
            )
    custom = values.get('custom_hooks') or []
    if not isinstance(custom, (list, tuple)):
        raise UserError(f'{option}: custom_hooks is {custom!r}, not a list', _HOOK)
    hooks = {f'custom_hooks.{index}': hook for index, hook in enumerate(custom)}
    for name, hook in (values.get('default_hooks') or {}).items():
        if hook is not None:  # which takes it out
            hooks[f'default_hooks.{name}'] = hook
    for name, hook in hooks.items():
        if not isinstance(hook, (Mapping, Hook)):
            raise UserError(f'{option}: {name} is {hook!r}, not a hook', _HOOK)


def meant_name(name: str) -> str | None:
    """Return the name of a run's that is two letters or fewer away; None if none is."""
    known = run_names()
    if name in known:
        return None
    distances = {each: _distance(name, each) for each in sorted(known)}
    nearest = min(distances, key=distances.__getitem__)
    return nearest if distances[nearest] <= _FAR else None


def _distance(one: str, other: str) -> int:
    """Return how many letters to insert, remove or replace (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row = row, [i]
        for j, b in enumerate(other, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (a != b)))
    return row[-1]


def _names_read(path: Path) -> Iterator[str]:
    """Yield the variables that a config file or one of its bases reads."""
    if path.suffix != '.py' or not path.is_file():
        return
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr  # of _base_
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # The older way to name a variable of a base, {{_base_.NAME}}.
            for part in node.value.split('{{')[1:]:
                yield from part.partition('}}')[0].strip().split('.')[1:2]
    for base in Config._get_base_files(str(path)):
        where, _ = Config._get_cfg_path(base, str(path))
        yield from _names_read(Path(where))
