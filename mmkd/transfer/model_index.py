"""Read the index of the zoo: models and their files."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from mmkd.errors import UserError
from mmkd.files import read_small_text
from mmkd.transfer import Wanted

INDEX = 'MMKD_INDEX'
_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9_.+-]{0,150}')
_LARGEST = 4 << 20  # bytes of a metafile
_MALFORMED = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError)
_HASH = re.compile(r'[0-9a-f]{64}')


@dataclass(frozen=True)
class ZooFile:
    """A published file."""

    name: str  # its name, without any folder
    size: int  # length in bytes
    sha256: str

    @property
    def wanted(self) -> Wanted:
        """Length and hash that a copy must have."""
        return Wanted(self.size, self.sha256)


@dataclass(frozen=True)
class ZooModel:
    """An entry of a metafile."""

    name: str  # its name, unique in the index
    collection: str
    config: str  # path of the config, seen from the folder of the index
    entry: Mapping[str, Any]
    # files with the weights, the .pth first; empty for a recipe
    weights: tuple[ZooFile, ...] = ()
    log: ZooFile | None = None  # the training log, if it was published

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
        """Results, each with its protocol."""
        return self.entry.get('Results') or []

    @property
    def address(self) -> str | None:
        """Base address that the entry itself names."""
        weights = str(self.entry.get('Weights') or '')
        return weights.rpartition('/')[0] if '://' in weights else None


def index_path() -> Path:
    """Return the index of models: ``MMKD_INDEX``, or that of this project.

    The latter lies beside the package in a checkout and inside it (``.mim``) when
    installed.

    Raises:
        UserError: If there is none.
    """
    named = os.environ.get(INDEX)
    package = Path(__file__).parents[1]
    folders = (package.parent, package / '.mim')
    paths = [folder / 'model-index.yml' for folder in folders]
    if named:
        paths = [Path(named)]
    for path in paths:
        if path.is_file():
            return path.resolve()
    raise UserError(
        f'the index of models {paths[0]} is not there',
        f'Run from a checkout of mmkd, or name an index in {INDEX}.',
    )


class Index:
    """All models of ``model-index.yml``.

    Args:
        path: The file; None: :func:`index_path`.

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
        for relative in _list_of(read_yaml(path), 'Import', path):
            metafile = self._metafile(relative, path)
            for entry in _list_of(read_yaml(metafile), 'Models', metafile):
                model = read_entry(entry, metafile)
                if model.name in self.models:
                    raise UserError(f'{metafile}: two models are named {model.name}')
                self.models[model.name] = model

    def _metafile(self, relative: Any, index: Path) -> Path:
        """Return the path of a metafile that the index imports."""
        path = Path(relative) if isinstance(relative, str) else None
        if path is None or path.is_absolute() or '..' in path.parts:
            raise UserError(
                f'{index} imports {relative!r}, which is no path below it',
                'Name metafiles by their path from the folder of the index.',
            )
        return self.root / path

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


class _PlainLoader(yaml.SafeLoader):
    """YAML loader of plain values, without aliases: nested ones grow without bound."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node; an alias is refused."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(
                None, None, 'it holds an alias (*NAME)', self.peek_event().start_mark
            )
        return super().compose_node(parent, index)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the content of a YAML file.

    Raises:
        UserError: If it is not there or holds no mapping.
    """
    try:
        content = yaml.load(read_small_text(path, _LARGEST), _PlainLoader)
    # Impossible dates, numbers and depths raise errors of Python's own.
    except (OSError, yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        reason = ' '.join(str(error).split()) or type(error).__name__
        raise UserError(f'{path} cannot be read as YAML: {reason}') from error
    if not isinstance(content, dict):
        raise UserError(f'{path} holds no mapping', 'See docs/zoo.md.')
    return content


def _list_of(content: Mapping[str, Any], key: str, path: Path) -> list[Any]:
    found = content.get(key) or []
    if not isinstance(found, list):
        raise UserError(f'{path}: {key} is no list', 'See docs/zoo.md.')
    return found


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
            config=config_below(str(entry['Config'])),
            entry=entry,
            weights=tuple(file for file in files if file.name != log),
            log=next((file for file in files if file.name == log), None),
        )
    except _MALFORMED as error:
        raise UserError(
            f'{metafile}: an entry lacks {error} or has it in another form',
            'See docs/zoo.md.',
        ) from error
    except UserError as error:
        raise UserError(f'{metafile}: {error.what}', error.remedy) from error


def config_below(path: str) -> str:
    """Return the path of a config, which is a program, if it is one of the index.

    Raises:
        UserError: If it leads out of the folder of the index.
    """
    if Path(path).is_absolute() or '..' in Path(path).parts:
        raise UserError(
            f'the config {path!r} is not below the folder of the index',
            'Name configs by their path from there.',
        )
    return path


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
