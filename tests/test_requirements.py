"""The requirement files agree with each other."""

import re
from pathlib import Path

from tests.shared_files import ROOT


def pins(path: Path) -> dict[str, str]:
    """Return the pinned version of every package in a requirement file."""
    return dict(re.findall(r'^([\w-]+)==(\S+)', path.read_text(), re.M))


def test_the_older_set_differs_in_numpy_and_opencv_only() -> None:
    new, old = pins(ROOT / 'requirements.txt'), pins(ROOT / 'requirements/numpy1.txt')
    assert new.keys() == old.keys()
    differing = {name for name in new if new[name] != old[name]}
    assert differing == {'numpy', 'opencv-python', 'opencv-contrib-python'}
    assert old['numpy'].startswith('1.26.')
    assert old['opencv-python'].startswith('4.11.')


def test_every_runtime_requirement_is_in_the_tested_set() -> None:
    text = (ROOT / 'requirements/runtime.txt').read_text()
    names = re.findall(r'^([\w-]+)[<>=]', text, re.M)
    assert len(names) > 5
    assert set(names) <= set(pins(ROOT / 'requirements.txt'))
