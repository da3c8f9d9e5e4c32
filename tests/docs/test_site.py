"""The site builds without a warning, and has every page and every part of the API."""

import inspect
import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tests.shared_files import ROOT


class Loader(yaml.SafeLoader):
    """Reads mkdocs.yml, whatever tags it may get."""


Loader.add_multi_constructor('', lambda loader, suffix, node: None)


def nav_files(part: object) -> list[str]:
    if isinstance(part, str):
        return [part]
    parts = part.values() if isinstance(part, dict) else part
    return [file for each in parts for file in nav_files(each)]  # type: ignore


def test_every_page_is_in_the_navigation_once() -> None:
    text = (ROOT / 'mkdocs.yml').read_text()
    files = nav_files(yaml.load(text, Loader)['nav'])
    docs = ROOT / 'docs'
    assert sorted(files) == sorted(str(p.relative_to(docs)) for p in docs.rglob('*.md'))


@pytest.mark.skipif(
    not (all(map(find_spec, ('mkdocs', 'mkdocstrings', 'latex2mathml')))),
    reason='needs requirements/docs.txt',
)
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, '-m', 'mkdocs', 'build', '--strict', '-d', str(tmp_path)],
        cwd=ROOT,
        env={'PATH': '/usr/bin:/bin', 'HOME': str(tmp_path)}
        | {'NO_MKDOCS_2_WARNING': '1', 'HTTPS_PROXY': 'http://127.0.0.1:9'},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert child.returncode == 0, child.stderr
    for page in (ROOT / 'docs').rglob('*.md'):
        built = tmp_path / page.relative_to(ROOT / 'docs').with_suffix('.html')
        equations = len(re.findall(r'^\$\$$', page.read_text(), re.M)) // 2
        html = built.read_text()
        assert html.count('display="block"') == equations, page
        assert 'arithmatex' not in html
    for page in (ROOT / 'docs' / 'api').glob('*.md'):
        html = (tmp_path / 'api' / f'{page.stem}.html').read_text()
        shown = re.findall(r'<h\d id="(mmkd\.[\w.]+)"', html)
        assert len(shown) > 10
        assert documented(page) <= {name.rpartition('.')[2] for name in shown}


def documented(page: Path) -> set[str]:
    """Return the classes and functions of the packages that a page of the API names."""
    names = re.findall(r'^::: ([a-z_.]+)$', page.read_text(), re.M)
    modules = [import_module(name) for name in names if find_module(name)]
    return {
        name
        for module in modules
        for name in getattr(module, '__all__', [])
        if inspect.isclass(vars(module)[name]) or inspect.isfunction(vars(module)[name])
    }


def find_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # a function within a module
        return False
