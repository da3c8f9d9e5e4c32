"""Write entries into metafiles, in the form that MIM reads."""

from pathlib import Path
from typing import Any

import yaml

from mmkd.errors import UserError
from mmkd.files import write_text
from mmkd.zoo.index import read_yaml
from mmkd.zoo.places import index_path


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, and writes no anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def metafile_of(config: str) -> Path:
    """Return the metafile of a config's folder.

    Args:
        config: Path of the config, seen from the folder of the index.

    Raises:
        UserError: If the index does not import it.
    """
    index = index_path()
    relative = Path(config).parent.joinpath('metafile.yml').as_posix()
    if relative not in (read_yaml(index).get('Import') or []):
        raise UserError(
            f'{index} does not import {relative}', 'Add that line, and write the file.'
        )
    return index.parent / relative


def entry_of(metafile: Path, name: str) -> dict[str, Any]:
    """Return the entry of a model; an empty one if it is new."""
    models = read_yaml(metafile).get('Models') or []
    return next((entry for entry in models if entry.get('Name') == name), {})


def only_collection(metafile: Path) -> str:
    """Return the collection of a metafile that has one.

    Raises:
        UserError: If it has none or several.
    """
    names = [c['Name'] for c in read_yaml(metafile).get('Collections') or []]
    if len(names) != 1:
        raise UserError(
            f'{metafile} has {len(names)} collections',
            'Name that of the method with --collection.',
        )
    return str(names[0])


def write_entry(metafile: Path, entry: dict[str, Any]) -> None:
    """Put an entry in the place of that of the same name, or at the end.

    Args:
        metafile: The file.
        entry: The whole entry.

    Raises:
        UserError: If the file cannot be read or written.
    """
    content = read_yaml(metafile)
    models = content.get('Models') or []
    names = [model.get('Name') for model in models]
    if entry['Name'] in names:
        models[names.index(entry['Name'])] = entry
    else:
        models.append(entry)
    write_text(metafile, as_yaml({**content, 'Models': models}))


def as_yaml(content: Any) -> str:
    """Return YAML in the form of this project's metafiles."""
    return yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000
    )
