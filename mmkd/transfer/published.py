"""Fetch a published file from the first source that has it right."""

import os
from pathlib import Path
from urllib.parse import quote

from mmkd.errors import UserError
from mmkd.transfer import download, hub
from mmkd.transfer.download import cache_folder
from mmkd.transfer.model_index import Index, ZooFile, ZooModel
from mmkd.transfer.sources import is_address

SCHEME = 'mmkd://'
BASES = 'MMKD_ZOO'


def sources_of(index: Index, model: ZooModel, file: ZooFile) -> list[str]:
    """Return where a file may be had, in the order in which it is tried.

    These are the addresses or folders in ``MMKD_ZOO``, separated by commas (or the
    ``zoo`` beside the index), then the address that the model's entry names.

    Raises:
        UserError: If there is none: an installed package has the index only.
    """
    named = [base.strip() for base in os.environ.get(BASES, '').split(',')]
    beside = str(index.root / 'zoo')
    bases = [base for base in named if base] or [beside]
    bases += [model.address] if model.address else []
    if bases == [beside] and not Path(beside).is_dir():
        raise UserError(
            f'{model.name}: the weights of the zoo are not beside {index.root}',
            f'Name the folder zoo of a checkout of mmkd, or its address, in {BASES}.',
        )
    return [_join(base, file.name) for base in dict.fromkeys(bases)]


def fetch(index: Index, model: ZooModel, file: ZooFile, folder: Path) -> Path:
    """Copy a published file into a folder, checked.

    Raises:
        UserError: If it cannot be had or written; see
            :func:`mmkd.transfer.download.download`.
    """
    return download(sources_of(index, model, file), folder / file.name, file.wanted)


def local_or_cached(index: Index, model: ZooModel, file: ZooFile) -> Path:
    """Return a checked file: in a local folder of the zoo, or else in the cache.

    The cache is ``MMKD_CACHE`` or ``~/.cache/mmkd``.

    Raises:
        UserError: If it cannot be had.
    """
    first = sources_of(index, model, file)[0]
    if not is_address(first):
        path = Path(first).expanduser()
        if path.is_file() and file.wanted.problem(path) is None:
            return path
    return fetch(index, model, file, cache_folder())


def resolve(source: str) -> Path:
    """Return the file of ``mmkd://NAME`` or ``hf://ORG/REPO...``, fetched and checked.

    Raises:
        UserError: If there is no such model, it has no weights, or they cannot be had.
    """
    if source.startswith(hub.SCHEME):
        return hub.fetch_hub(source)
    index = Index()
    model = index.find(source.removeprefix(SCHEME))
    return local_or_cached(index, model, any_weights_of(model))


def weights_of(model: ZooModel, suffix: str = '.pth') -> ZooFile:
    """Return the file with the weights of a model, ``.pth`` or ``.safetensors``.

    Raises:
        UserError: If the model is a recipe, without weights.
    """
    for file in model.weights:
        if file.name.endswith(suffix):
            return file
    if model.weights:
        raise UserError(
            f'{model.name} has no {suffix} file', f'It has {model.weights[0].name}.'
        )
    raise UserError(
        f'{model.name} is a recipe: no weights of it are published',
        f'Train it: `python tools/train.py {model.config}`.',
    )


def any_weights_of(model: ZooModel) -> ZooFile:
    """Return the ``.pth`` of a model, or the ``.safetensors`` if it has no other.

    Raises:
        UserError: If the model is a recipe, without weights.
    """
    return model.weights[0] if model.weights else weights_of(model)


def _join(base: str, name: str) -> str:
    if is_address(base):
        return f'{base.rstrip("/")}/{quote(name)}'
    return str(Path(base.removeprefix('file://')).expanduser() / name)
