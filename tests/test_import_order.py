"""Imports inside mmkd run one way, from the commands down to the ground floor."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.shared_files import ROOT

# A room may import the floors below its own and nothing beside it. Single files at the
# top of the package are on the ground floor, and so is the package's face, which every
# import runs. What registry.py names as text is imported when a type is looked up.
FLOORS = (
    ('transfer',),
    ('compat',),
    ('datasets',),
    ('models',),
    ('methods', 'distill'),
    ('engine',),
    ('evaluation', 'zoo'),
    ('commands',),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

Files = dict[str, str]
"""Text of each module by its name."""


def package_files() -> Files:
    paths = [p for p in (ROOT / 'mmkd').rglob('*.py') if '.mim' not in p.parts]
    return {name_of(p.relative_to(ROOT)): p.read_text() for p in paths}


def name_of(path: Path) -> str:
    parts = path.with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def imports_of(files: Files) -> dict[str, set[str]]:
    """Return the modules that each module imports, also those inside functions."""
    return {name: set(imported(name, text, files)) for name, text in files.items()}


def imported(name: str, text: str, files: Files) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{name} has a relative import'
            each = [f'{node.module}.{alias.name}' for alias in node.names]
            found = [one if one in files else str(node.module) for one in each]
        else:
            continue
        yield from (one for one in found if one.split('.')[0] == 'mmkd')


def rooms_of(files: Files) -> dict[str, str]:
    """Return the folder of each module; '' for a single file and for the face."""
    folders = {name.split('.')[1] for name in files if name.count('.') > 1}
    rooms = {name: f'{name}.'.split('.')[1] for name in files}
    return {name: room if room in folders else '' for name, room in rooms.items()}


def against_the_order(files: Files) -> set[tuple[str, str]]:
    wrong, rooms = set(), rooms_of(files)
    for module, others in imports_of(files).items():
        own = rooms[module]
        for other in others:
            room = rooms[other]
            if room == own or room == '' or (own == '' and room == 'compat'):
                continue
            if FLOOR[room] >= FLOOR.get(own, 0):
                wrong.add((module, other))
    return wrong


def test_every_room_has_a_floor():
    rooms = set(rooms_of(package_files()).values()) - {''}
    assert rooms <= set(FLOOR), 'enter the new room into FLOORS'


def test_imports_run_one_way():
    assert against_the_order(package_files()) == set(), 'import from a floor below'


def test_there_is_no_circle():
    try:
        TopologicalSorter(imports_of(package_files())).prepare()
    except CycleError as error:
        pytest.fail(' -> '.join(error.args[1]))


@pytest.mark.parametrize(
    ('module', 'text'),
    [
        ('mmkd.datasets.a', 'from mmkd.models import b'),
        ('mmkd.datasets.a', 'from mmkd.models.b import Name'),
        ('mmkd.models.a', 'def f():\n    import mmkd.engine.b'),
        ('mmkd.zoo.a', 'from mmkd import evaluation'),
        ('mmkd.ground', 'from mmkd.datasets import b'),
        ('mmkd', 'from mmkd.datasets import b'),
        ('mmkd.transfer.a', 'import mmkd.compat'),
    ],
)
def test_the_check_sees(module, text):
    rooms = ['compat', 'transfer', 'datasets', 'models', 'engine', 'evaluation', 'zoo']
    files = {f'mmkd.{room}{name}': '' for room in rooms for name in ('', '.a', '.b')}
    files |= {'mmkd': '', 'mmkd.ground': ''}
    assert against_the_order(files) == set()
    files[module] = text
    assert [importer for importer, _ in against_the_order(files)] == [module]
