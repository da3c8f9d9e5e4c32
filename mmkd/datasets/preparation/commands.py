"""The command that makes a data file, for error messages that miss it."""

from pathlib import PurePath

_SPLITS = tuple(f'{part}_split{k}' for part in ('train', 'test') for k in (1, 2, 3))
_FOLDS = tuple(f'fold{k}_{part}' for k in range(1, 6) for part in ('train', 'test'))

_OPTIONS = {
    'ucf101': '--videos DIR --annotations DIR',
    'hmdb51': '--videos DIR --annotations DIR',
    'kinetics100': '--videos DIR --list k100.list',
    'kinetics400': '--videos DIR --train-csv train.csv --val-csv val.csv',
    'ut_interaction': '--videos DIR',
    'synthetic': '',
}
_LISTS = {
    'ucf101': _SPLITS,
    'hmdb51': _SPLITS,
    'kinetics100': ('train',),
    'kinetics400': ('train', 'val'),
    'ut_interaction': ('set1', 'set2', 'set1_other', 'pretrain', *_FOLDS),
    'synthetic': ('train', 'test', 'unlabelled'),
}


def _is_made(dataset: str, rest: tuple[str, ...]) -> bool:
    names = {f'{name}.txt' for name in (*_LISTS[dataset], 'classes')}
    return not rest or rest[0] == 'videos' or (len(rest) == 1 and rest[0] in names)


def prepare_command(path: str) -> str | None:
    """Return the command line that makes a list or folder of videos.

    Args:
        path: Where it should be, for instance ``data/kinetics100/train.txt`` or
            ``data/ucf101/videos``. The last part that names a data set counts.

    Returns:
        The command, with DIR for what only the user knows; None if no command makes
        that file.

    Example:
        >>> prepare_command('data/kinetics100/train.txt')
        'python tools/data/prepare.py kinetics100 --videos DIR --list k100.list'
    """
    parts = PurePath(path).parts
    positions = [place for place, part in enumerate(parts) if part in _OPTIONS]
    if not positions:
        return None
    last = positions[-1]
    dataset = parts[last]
    if not _is_made(dataset, parts[last + 1 :]):
        return None
    folder = PurePath(*parts[: last + 1])
    words = ['python tools/data/prepare.py', dataset, _OPTIONS[dataset]]
    if folder != PurePath('data', dataset):
        words.append(f'--out {folder}')
    return ' '.join(word for word in words if word)
