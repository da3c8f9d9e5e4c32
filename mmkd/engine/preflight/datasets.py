"""Check the data sets of a config: folders, lists and clips."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from mmengine.config import Config
from mmengine.dataset import BaseDataset

from mmkd.engine.config_types import find_class, walk
from mmkd.errors import UserError, printable
from mmkd.video_lists import ListFormat, read_list


def check_datasets(cfg: Config, loaders: Sequence[str]) -> None:
    """Check every data set with an ``ann_file`` in the named data loaders.

    Lists of MMAction2's ``VideoDataset`` (and of ours whose names end so), and those of
    ``ViewDataset``, are read to the end; of others only the list itself must be there.
    """
    for where, node in walk(cfg, *loaders):
        _check_balancing(f'{where} of {cfg.filename}', node)
    classes = _number_of_classes(cfg.model)
    for where, dataset in _datasets(cfg, loaders):
        _check_dataset(f'{where}.ann_file of {cfg.filename}', dataset, classes)
    if 'train_dataloader' in loaders:
        for where, hook in _datasets(cfg, ('custom_hooks',)):
            _check_list_of_hook(f'{where}.ann_file of {cfg.filename}', hook)


def _datasets(
    cfg: Config, loaders: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for where, node in walk(cfg, *loaders):
        if isinstance(node.get('ann_file'), str) and node['ann_file']:
            yield where, node


def _check_balancing(where: str, node: Mapping[str, Any]) -> None:
    """Refuse a class-balancing wrapper around a data set that cannot tell classes."""
    if str(node.get('type')).rpartition('.')[2] != 'ClassBalancedDataset':
        return
    inner = node.get('dataset') or {}
    found = find_class(inner.get('type'), ('train_dataloader',))
    own = getattr(found[0], 'get_cat_ids', None) if found else None
    if found and own in (None, BaseDataset.get_cat_ids):
        raise UserError(
            f'{where}: ClassBalancedDataset needs get_cat_ids, which {inner["type"]} '
            'does not have',
            'Leave the wrapper out, or repeat the videos of rare classes in the list.',
        )


def _check_dataset(where: str, dataset: Mapping[str, Any], classes: int | None) -> None:
    root = dataset.get('data_root') or ''
    ann_file = os.path.join(root, dataset['ann_file'])
    if not os.path.isfile(ann_file):
        raise _missing('list of clips', ann_file, where)
    if not os.path.getsize(ann_file):
        raise UserError(f'{ann_file} ({where}) is empty', _hint(ann_file))
    if not str(dataset.get('type')).endswith(('VideoDataset', 'ViewDataset')):
        return
    prefix = (dataset.get('data_prefix') or {}).get('video') or ''
    folder = os.path.join(root, prefix)
    if folder and not os.path.isdir(folder):
        where = where.replace('.ann_file', '.data_prefix')
        raise _missing('folder of videos', folder, where)
    form = ListFormat(
        delimiter=dataset.get('delimiter', ' '),
        multi_class=dataset.get('multi_class', False),
        num_classes=classes,
    )
    check_list(ann_file, folder, form, _hint(ann_file))


def _check_list_of_hook(where: str, hook: Mapping[str, Any]) -> None:
    """Check a list that a hook measures on; its videos are met when it does."""
    path = os.path.join(hook.get('data_root') or '', hook['ann_file'])
    if not os.path.isfile(path):
        raise _missing('list of clips', path, where)
    read_list(path, ListFormat(hook.get('delimiter', ' ')), _hint(path))


def _number_of_classes(model: Mapping[str, Any]) -> int | None:
    """Classes of the head that is trained; None for pre-training, which has no head."""
    head = model.get('cls_head')
    if isinstance(head, Mapping):
        return head.get('num_classes')
    student = model.get('student')
    return _number_of_classes(student) if isinstance(student, Mapping) else None


def _missing(kind: str, path: str, where: str) -> UserError:
    looked = '' if Path(path).is_absolute() else f'; looked for it in {os.getcwd()}'
    return UserError(f'{kind} {path} ({where}) does not exist{looked}', _hint(path))


def _hint(path: str) -> str:
    """Return the command that prepares a path, where one is known."""
    command = prepare_command(path)
    if command:
        return f'Prepare the data with `{command}`.'
    return 'Create it, or name another one with --cfg-options.'


# Listing a folder costs about as much as asking for this many of its files.
_LISTING_PAYS = 20


def check_list(path: str, folder: str, form: ListFormat, hint: str = '') -> int:
    """Check a list of clips completely.

    Existence is asked folder by folder: 240 000 clips in 400 folders, as Kinetics-400
    has them, took 0.7 s on a local disk.
    """
    clips = [line.path for line in read_list(path, form, hint)]
    missing = _absent(clips, folder)
    if missing:
        first = missing[0]
        others = f' and {len(missing) - 1} others' if len(missing) > 1 else ''
        raise UserError(
            f'{printable(path)}, line {first + 1}: '
            f'{printable(os.path.join(folder, clips[first]))}{others} '
            f'of {len(clips)} clips do{"" if others else "es"} not exist',
            hint,
        )
    return len(clips)


def _absent(clips: Sequence[str], folder: str) -> list[int]:
    """Return the positions of the clips that are not there."""
    by_folder: dict[str, dict[int, str]] = defaultdict(dict)
    for position, clip in enumerate(clips):
        parent, name = os.path.split(clip)
        by_folder[os.path.join(folder, parent)][position] = name
    missing: list[int] = []
    for parent, names in by_folder.items():
        if len(names) < _LISTING_PAYS:
            there = [
                n for n in names.values() if os.path.isfile(os.path.join(parent, n))
            ]
        else:
            there = os.listdir(parent) if os.path.isdir(parent) else []
        known = set(there)
        missing += [position for position, n in names.items() if n not in known]
    return sorted(missing)


_SPLITS = tuple(f'{part}_split{k}' for part in ('train', 'test') for k in (1, 2, 3))
_FOLDS = tuple(f'fold{k}_{part}' for k in range(1, 6) for part in ('train', 'test'))

# Options of tools/data/prepare.py, and the lists that it writes.
_MADE = {
    'ucf101': ('--videos DIR --annotations DIR', _SPLITS),
    'hmdb51': ('--videos DIR --annotations DIR', _SPLITS),
    'kinetics100': ('--videos DIR --list k100.list', ('train',)),
    'kinetics400': (
        '--videos DIR --train-csv train.csv --val-csv val.csv',
        ('train', 'val'),
    ),
    'ut_interaction': (
        '--videos DIR',
        ('set1', 'set2', 'set1_other', 'pretrain', *_FOLDS),
    ),
    'synthetic': ('', ('train', 'test', 'unlabelled')),
}


def prepare_command(path: str) -> str | None:
    """Return the command line that makes a list or folder of videos.

    Returns:
        The command, with DIR for what only the user knows; None if no command makes
        that file.

    Example:
        >>> prepare_command('data/kinetics100/train.txt')
        'python tools/data/prepare.py kinetics100 --videos DIR --list k100.list'
    """
    parts = PurePath(path).parts
    last = max((at for at, part in enumerate(parts) if part in _MADE), default=None)
    if last is None:
        return None
    (options, lists), rest = _MADE[parts[last]], '/'.join(parts[last + 1 :])
    names = {'', *(f'{name}.txt' for name in (*lists, 'classes'))}
    if rest not in names and parts[last + 1] != 'videos':
        return None
    folder = PurePath(*parts[: last + 1])
    words = ['python tools/data/prepare.py', parts[last], options]
    if folder != PurePath('data', parts[last]):
        words.append(f'--out {folder}')
    return ' '.join(filter(None, words))
