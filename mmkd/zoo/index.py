"""The index: which models there are, and which files each of them has."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from mmkd.errors import UserError
from mmkd.transfer import Wanted
from mmkd.zoo.places import index_path

_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9_.+-]{0,150}')
_HASH = re.compile(r'[0-9a-f]{64}')


@dataclass(frozen=True)
class ZooFile:
    """A published file.

    Attributes:
        name: Its name, without any folder.
        size: Length in bytes.
        sha256: Its SHA-256.
    """

    name: str
    size: int
    sha256: str

    @property
    def wanted(self) -> Wanted:
        """What a copy of it must be."""
        return Wanted(self.size, self.sha256)


@dataclass(frozen=True)
class ZooModel:
    """An entry of a metafile.

    Attributes:
        name: Its name, unique in the index.
        collection: The method.
        config: Path of the config, seen from the folder of the index.
        entry: The whole entry.
        weights: Files with the weights, the ``.pth`` first; empty for a recipe.
        log: The training log, if it was published.
    """

    name: str
    collection: str
    config: str
    entry: Mapping[str, Any]
    weights: tuple[ZooFile, ...] = ()
    log: ZooFile | None = None

    @property
    def files(self) -> tuple[ZooFile, ...]:
        """All files."""
        return (*self.weights, *([self.log] if self.log else []))

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Architecture, training data and the like."""
        return self.entry.get('Metadata') or {}

    @property
    def results(self) -> list[dict[str, Any]]:
        """What was measured, each with its protocol."""
        return self.entry.get('Results') or []

    @property
    def address(self) -> str | None:
        """The folder of addresses that the entry itself names."""
        weights = str(self.entry.get('Weights') or '')
        return weights.rpartition('/')[0] if '://' in weights else None


class Index:
    """All models of ``model-index.yml``.

    Args:
        path: The file. Defaults to :func:`~mmkd.zoo.places.index_path`.

    Attributes:
        root: Its folder; paths in metafiles are seen from here.
        models: The models by name.

    Raises:
        UserError: If a file cannot be read, lacks what an entry must have, or names a
            file outside the zoo.
    """

    def __init__(self, path: Path | None = None) -> None:
        path = path or index_path()
        self.root = path.parent
        self.models: dict[str, ZooModel] = {}
        for relative in read_yaml(path).get('Import') or []:
            metafile = self.root / relative
            for entry in read_yaml(metafile).get('Models') or []:
                model = read_entry(entry, metafile)
                if model.name in self.models:
                    raise UserError(f'{metafile}: two models are named {model.name}')
                self.models[model.name] = model

    def find(self, name: str) -> ZooModel:
        """Return a model by its name.

        Raises:
            UserError: If there is none of that name.
        """
        if name in self.models:
            return self.models[name]
        similar = get_close_matches(name, self.models, n=3)
        raise UserError(
            f'the zoo has no model {name!r}',
            f'Did you mean {" or ".join(similar)}?'
            if similar
            else '`python tools/zoo.py list` shows all names.',
        )

    def published(self) -> list[ZooModel]:
        """Return the models that have weights."""
        return [model for model in self.models.values() if model.weights]


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the content of a YAML file.

    Raises:
        UserError: If it is not there or holds no mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f'{path} cannot be read as YAML: {error}') from error
    if not isinstance(content, dict):
        raise UserError(f'{path} holds no mapping', 'See docs/zoo.md.')
    return content


def read_entry(entry: Any, metafile: Path) -> ZooModel:
    """Return an entry of a metafile as a model.

    Raises:
        UserError: If something is missing or names a file outside the zoo.
    """
    try:
        files = [_file(item) for item in entry.get('Files') or []]
        log = Path(entry['Training Log']).name if entry.get('Training Log') else None
        return ZooModel(
            name=check_name(str(entry['Name'])),
            collection=str(entry['In Collection']),
            config=str(entry['Config']),
            entry=entry,
            weights=tuple(file for file in files if file.name != log),
            log=next((file for file in files if file.name == log), None),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f'{metafile}: an entry lacks {error} or has it in another form',
            'See docs/zoo.md.',
        ) from error
    except UserError as error:
        raise UserError(f'{metafile}: {error.what}', error.remedy) from error


def _file(item: Mapping[str, Any]) -> ZooFile:
    digest = str(item['SHA256'])
    if not _HASH.fullmatch(digest):
        raise UserError(f'{digest!r} is no SHA-256 of 64 hexadecimal digits')
    return ZooFile(check_name(str(item['Name'])), int(item['Size']), digest)


def check_name(name: str) -> str:
    """Return a name that is safe as that of a file.

    Raises:
        UserError: If it could lead out of a folder, or hide in one.
    """
    if not _NAME.fullmatch(name):
        raise UserError(
            f'{name!r} is no name for the zoo',
            'Use letters, digits and ._+- only, a letter or digit first.',
        )
    return name
