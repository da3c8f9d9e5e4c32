"""Examples in docstrings run, and name only what there is."""

import doctest
import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from mmengine.config import Config
from mmengine.registry import Registry

from mmkd import registry
from mmkd.engine.preflight.arguments import check_arguments
from tests.shared_files import ROOT

PROMPT = '>>> '
MODULES = [
    '.'.join(path.relative_to(ROOT).with_suffix('').parts)
    for path in sorted((ROOT / 'mmkd').rglob('*.py'))
    if PROMPT in path.read_text()
]


def registered() -> list[type]:
    """Return the classes that a config names as ``mmkd.Name``."""
    found = set()
    for one in vars(registry).values():
        if isinstance(one, Registry) and one.scope == 'mmkd':
            one.import_from_location()
            found |= set(one.module_dict.values())
    ours = [cls for cls in found if cls.__module__.startswith('mmkd.')]
    return sorted(ours, key=lambda cls: cls.__name__)


def values_of(cls: type) -> Iterator[dict[str, Any]]:
    """Yield the configs that the example of a class holds after each statement."""
    names: dict[str, Any] = vars(import_module(cls.__module__)).copy()
    theirs = dict(names)
    for example in doctest.DocTestParser().get_examples(inspect.getdoc(cls) or ''):
        exec(compile(example.source, cls.__name__, 'single'), names)
        yield {
            name: value
            for name, value in names.items()
            if value is not theirs.get(name) and isinstance(value, (dict, list))
        }


@pytest.mark.parametrize('name', MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    failed, tried = doctest.testmod(import_module(name), report=False)
    assert tried > 0
    assert failed == 0


@pytest.mark.parametrize('cls', registered(), ids=lambda cls: cls.__name__)
def test_a_class_for_configs_shows_how_it_is_used(cls: type) -> None:
    text = inspect.getdoc(cls) or ''
    assert PROMPT in text, f'{cls.__name__} has no example'
    assert cls.__name__ in text[text.index(PROMPT) :]


@pytest.mark.parametrize('cls', registered(), ids=lambda cls: cls.__name__)
def test_an_example_names_what_there_is(cls: type) -> None:
    for values in values_of(cls):
        check_arguments(Config({'examples': values}))
