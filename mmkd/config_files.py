"""Open config files: by path or as ``mmkd::NAME``, and for one split of the data."""

import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd.errors import UserError

SPLIT_LISTS = 'split_lists'
"""Top-level name of a config: the files that differ between the splits."""

_PREFIX = 'mmkd::'
_SUFFIXES = ('.py', '.yaml', '.yml', '.json')
_SPLIT = '{split}'
_FORMER = 'MMKD_SPLIT'  # the environment variable that an option has replaced


def package_configs() -> Path:
    """Return the folder ``configs`` of mmkd.

    It lies beside the package in a checkout and inside it (``.mim``) when installed.
    """
    package = Path(__file__).resolve().parent
    for root in (package.parent, package / '.mim'):
        if (root / 'configs/_base_/default_runtime.py').is_file():
            return root / 'configs'
    raise UserError('the configs of mmkd are not there', 'Install mmkd once more.')


def config_path(text: str | Path) -> str:
    """Return the path of a config; ``mmkd::auxskd/r3d_k100.py`` is one of ours."""
    name = str(text)
    if not name.startswith(_PREFIX):
        return name
    return str(package_configs() / name.removeprefix(_PREFIX))


def read_config(path: str | Path, split: int | None = None) -> Config:
    """Read a config.

    A config names split 1 of its data set, and under ``split_lists`` the files that
    differ between the splits, e.g. ``['data/ucf101/train_split{split}.txt']``. For
    another split each of these names is replaced, wherever it stands. The entry itself
    is taken out: in what a run writes, the split is fixed.

    Args:
        path: Config file, or ``mmkd::NAME`` for one that is installed with mmkd.
        split: Split of the data set, from 1. Defaults to None: what the config names.

    Raises:
        UserError: If the file is missing or cannot be read as a config; if a split is
            given that nothing in it depends on, or that the data set does not have; or
            if the environment variable MMKD_SPLIT is set.
    """
    refuse_split_variable()
    cfg = _open(config_path(path), str(path))
    patterns = _patterns(cfg, str(path))
    if split is not None:
        _take_split(cfg, patterns, str(path), split)
    return cfg


def has_splits(path: str | Path) -> bool:
    """Tell whether what a run uses of a config depends on the split of the data set."""
    refuse_split_variable()
    cfg = _open(config_path(path), str(path))
    return bool(_split_files(_used(cfg), _patterns(cfg, str(path))))


def refuse_split_variable() -> None:
    """Refuse the environment variable that told the split: it is not passed over."""
    value = os.environ.get(_FORMER)
    if value:
        raise UserError(
            f'{_FORMER}={value} is set, which nothing reads any more',
            f'Unset it, and give --split {value}.',
        )


def _patterns(cfg: Config, name: str) -> list[str]:
    """Take the names that depend on the split out of a config."""
    patterns = cfg._cfg_dict.pop(SPLIT_LISTS, None) or []
    texts = isinstance(patterns, (list, tuple))
    if not texts or not all(isinstance(x, str) and _SPLIT in x for x in patterns):
        raise UserError(
            f'{name}: {SPLIT_LISTS} is {patterns!r}',
            f"Give a list of file names with {_SPLIT}, e.g. ['train_{_SPLIT}.txt'].",
        )
    return list(patterns)


def _take_split(cfg: Config, patterns: list[str], path: str, split: int) -> None:
    if split < 1:
        raise UserError(f'--split {split}', 'Splits are counted from 1.')
    files = _split_files(_used(cfg), patterns)
    if not files:
        raise UserError(
            f'--split {split}: {path} does not depend on the split',
            'Leave the option out, or use a config whose lists stand in '
            f'{SPLIT_LISTS}; in the config that a run wrote they are fixed.',
        )
    _check_range(cfg, files, path, split)
    names = {_of_split(p, 1): _of_split(p, split) for p in patterns}
    _replace(cfg._cfg_dict, names)


def _of_split(pattern: str, split: int) -> str:
    return pattern.replace(_SPLIT, str(split))


def _replace(node: Any, names: Mapping[str, str]) -> Any:
    """Replace whole strings inside of dicts and lists, in place where possible."""
    if isinstance(node, str):
        return names.get(node, node)
    if isinstance(node, dict):
        for key, value in node.items():
            node[key] = _replace(value, names)
    elif isinstance(node, list):
        node[:] = [_replace(value, names) for value in node]
    elif type(node) is tuple:
        return tuple(_replace(value, names) for value in node)
    return node


def _split_files(node: Any, patterns: list[str]) -> list[str]:
    """Return the paths that depend on the split, as patterns, each once."""
    known = {_of_split(pattern, 1): pattern for pattern in patterns}
    return list(dict.fromkeys(_found(node, known)))


def _found(node: Any, known: Mapping[str, str]) -> Iterator[str]:
    root = ''
    if isinstance(node, Mapping):
        root = node.get('data_root') or ''
        node = node.values()
    for value in node:
        if isinstance(value, str):
            if value in known:
                yield os.path.join(root, known[value])
        elif hasattr(value, '__iter__'):
            yield from _found(value, known)


def _used(cfg: Config) -> dict[str, Any]:
    """Return what a run uses: variables of the file that nothing else reads may vary.

    Where its files go is no use of it. A file that describes no run, such as that of a
    data set, counts as a whole.
    """
    values = cfg.to_dict()
    names = run_names() - {'work_dir', 'experiment_name'}
    return {k: v for k, v in values.items() if k in names} or values


def run_names() -> set[str]:
    """Return the top-level names of a config that a run reads."""
    import inspect

    from mmengine.runner import Runner

    # ``cfg`` is the config itself. The others are read by MMEngine's and our programs.
    taken = set(inspect.signature(Runner.__init__).parameters) - {'self', 'cfg'}
    return taken | {
        *('custom_imports', 'runner_type', 'memory_format', 'compile'),
        *('model_wrapper_cfg', 'sync_bn', 'find_unused_parameters'),
        *('activation_checkpointing', 'efficient_conv_bn_eval', 'tta_model'),
    }


def _check_range(cfg: Config, files: list[str], path: str, split: int) -> None:
    count = cfg.get('num_splits')
    if isinstance(count, int) and split > count:
        raise UserError(
            f'--split {split}: the data set of {path} has {count} splits',
            f'Give a number from 1 to {count}.',
        )
    for pattern in files:
        name = _of_split(pattern, split)
        there = [] if Path(name).is_file() else _numbers(pattern)
        if there:
            raise UserError(
                f'--split {split}: there is no {name}',
                f'There are lists of split {", ".join(map(str, there))}.',
            )


def _numbers(pattern: str) -> list[int]:
    path = Path(pattern)
    expression = re.escape(path.name).replace(re.escape(_SPLIT), r'(\d+)', 1)
    if _SPLIT in str(path.parent) or not path.parent.is_dir():
        return []
    found = (re.fullmatch(expression, p.name) for p in path.parent.iterdir())
    return sorted(int(match[1]) for match in found if match)


def _open(path: str, name: str) -> Config:
    if not Path(path).is_file():
        problem = 'is a folder' if Path(path).is_dir() else 'does not exist'
        raise UserError(f'config {name} {problem}', _similar_files(path))
    if Path(path).suffix not in _SUFFIXES:
        raise UserError(f'{name} is no config', f'It ends in {", ".join(_SUFFIXES)}.')
    try:
        return Config.fromfile(path)
    except FileNotFoundError as error:
        raise UserError(f'config {name} builds on a missing file: {error}') from error
    except SyntaxError as error:
        raise UserError(f'config {name}: {error}') from error
    except UserError:
        raise
    except Exception as error:  # a config is a program, which may raise anything
        if isinstance(error, ImportError) and 'custom modules' in str(error):
            raise _custom_import(name, error) from error
        text = ' '.join(str(error).split())
        raise UserError(
            f'config {name} cannot be read: {type(error).__name__}: {text}'
        ) from error


def _custom_import(name: str, error: ImportError) -> UserError:
    """Return what kept a module of ``custom_imports`` from being imported.

    MMEngine says that PYTHONPATH is wrong whatever it was, and keeps the reason below.
    """
    reason: BaseException = error
    while (below := reason.__cause__ or reason.__context__) is not None:
        reason = below
    return UserError(
        f'config {name}: custom_imports: {type(reason).__name__}: {reason}',
        'The folder of a module of yours has to be in PYTHONPATH.'
        if isinstance(reason, ModuleNotFoundError)
        else 'Correct that module; MMKD_TRACEBACK=1 shows the line.',
    )


def _similar_files(path: str) -> str:
    names = [str(p) for p in Path(path).parent.glob('*.py')]
    similar = get_close_matches(path, names, n=3)
    return f'Did you mean {" or ".join(similar)}?' if similar else ''
