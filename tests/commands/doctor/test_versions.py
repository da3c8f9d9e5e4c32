"""Versions are compared by their numbers."""

import re

import pytest

from mmkd.commands.doctor.package_checks import BOUNDS, MODULES, TESTED, TORCH_LEAST
from mmkd.commands.doctor.probe import installed, release, within
from tests.shared_files import ROOT


def test_release() -> None:
    assert release('2.13.0+cpu') == (2, 13, 0)
    assert release('0.10.0rc4') == (0, 10, 0)
    assert release('unknown') == ()


@pytest.mark.parametrize(
    ('version', 'inside'),
    [('2.0.9', False), ('2.1.0', True), ('2.1.10', True), ('2.2.0', False)],
)
def test_within(version: str, inside: bool) -> None:
    assert within(version, '2.1.0', '2.2.0') is inside


def test_installed() -> None:
    assert installed('no-such-distribution') is None
    assert release(installed('pytest') or '') >= (8,)


def test_bounds_are_those_of_the_requirements() -> None:
    text = (ROOT / 'requirements/runtime.txt').read_text()
    bounds = dict(re.findall(r'^([\w-]+)(\S*)$', text, re.M))
    for name, (least, below) in BOUNDS.items():
        assert bounds[name] == f'>={least}' + (f',<{below}' if below else '')
    assert bounds['torch'] == f'>={TORCH_LEAST}'
    assert set(MODULES) <= set(bounds)


def test_remedies_name_the_tested_set() -> None:
    pins = dict(
        re.findall(r'^([\w-]+)==(\S+)', (ROOT / 'requirements.txt').read_text(), re.M)
    )
    assert {name: pins[name] for name in TESTED} == TESTED
    named = re.findall(
        r'([\w-]+)==(\d[\d.]*\d)',
        (ROOT / 'mmkd/commands/doctor/package_checks.py')
        .read_text()
        .replace('-headless', ''),
    )
    assert len(named) >= 7
    for name, version in named:
        assert pins[name] == version
