"""Each ``mmkd.X`` that a config names is a class of mmkd.

MMEngine takes what mmkd lacks from its own registries, without a word.
"""

import re

import pytest
from mmengine.registry import OPTIM_WRAPPERS, TRANSFORMS

from mmkd.engine.config_types import PREFIX, find_class
from tests.shared_files import ROOT

NAMED = re.compile(r"""['"](mmkd\.[A-Za-z_][\w.]*)['"]""")


def named_types() -> dict[str, str]:
    """Return the types that config files name, each with one of the files."""
    paths = sorted((ROOT / 'configs').rglob('*.py'))
    return {
        kind: str(path.relative_to(ROOT))
        for path in paths
        for kind in NAMED.findall(path.read_text())
    }


def test_each_type_of_a_config_is_of_mmkd():
    named = named_types()
    assert len(named) > 50
    for kind, path in named.items():
        found = find_class(kind)
        assert found is not None, f'{path}: {kind}'
        cls, _ = found
        assert cls.__module__.startswith(PREFIX), f'{path}: {kind} is {cls}'
        assert cls.__name__ == kind.removeprefix(PREFIX), f'{path}: {kind} is {cls}'


@pytest.mark.parametrize(
    ('registry', 'name', 'part'),
    [
        (TRANSFORMS, 'RandomGrayscale', 'train_dataloader'),
        (OPTIM_WRAPPERS, 'AmpOptimWrapper', 'optim_wrapper'),
    ],
)
def test_a_name_that_stands_twice_is_ours(registry, name, part):
    found = find_class(PREFIX + name, (part,))
    assert found is not None and found[0].__module__.startswith(PREFIX)
    assert found[0] is registry.get(PREFIX + name)
    assert found[0] is not registry.get(name)


def test_what_mmengine_would_take_elsewhere_is_not_found():
    assert OPTIM_WRAPPERS.get('mmkd.OptimWrapper') is OPTIM_WRAPPERS.get('OptimWrapper')
    assert find_class('mmkd.OptimWrapper', ('optim_wrapper',)) is None
