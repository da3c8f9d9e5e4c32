"""Files that say who and what we are agree with each other."""

import re

import yaml

from mmkd import __version__
from tests.shared_files import ROOT


def test_the_citation_names_the_four_papers() -> None:
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert citation['version'] == __version__
    sources = {ref.get('url', ref.get('doi')) for ref in citation['references']}
    arxiv = {f'https://arxiv.org/abs/{n}' for n in (2112.04011, 2205.00506, 2204.12729)}
    assert sources == arxiv | {'10.3390/jimaging10040085'}
    for reference in citation['references']:
        assert {'type', 'title', 'authors', 'year'} <= set(reference)


def test_the_newest_entry_of_the_changes_is_this_version() -> None:
    text = (ROOT / 'CHANGELOG.md').read_text()
    assert re.findall(r'^## (\S+)', text, re.M)[0] == __version__


def test_every_target_is_explained() -> None:
    text = (ROOT / 'Makefile').read_text()
    phony = re.search(r'\.PHONY:((?:.*\\\n)*.*)', text).group(1)  # type: ignore
    explained = re.findall(r'^([a-z0-9-]+):.*##', text, re.M)
    assert sorted(phony.replace('\\', '').split()) == sorted(explained)


def test_yaml_files_are_read() -> None:
    paths = [ROOT / '.pre-commit-config.yaml', *(ROOT / '.github').rglob('*.yml')]
    assert len(paths) == 7
    for path in paths:
        assert isinstance(yaml.safe_load(path.read_text()), dict)
    hooks = yaml.safe_load(paths[0].read_text())['repos'][0]['hooks']
    assert {hook['entry'].split()[0] for hook in hooks} == {'ruff', 'mypy', 'codespell'}


def test_the_readme_cites_the_same_papers() -> None:
    text = ' '.join((ROOT / 'README.md').read_text().split())
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    for paper in citation['references']:
        assert f'title = {{{paper["title"]}}}' in text
        names = [author['family-names'] for author in paper['authors']]
        assert all(name in text for name in names)
        assert paper.get('doi', paper.get('url', '').rpartition('/')[2]) in text
    assert text.count('@inproceedings{') + text.count('@article{') == 4
