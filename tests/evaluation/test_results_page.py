"""Every published result on the results page stands in the facts."""

import re

import pytest

from tests.shared_files import ROOT, shared_path

PAGE = (ROOT / 'docs/results.md').read_text()
FACTS = ('auxskd_vspp.md', 'pcl_kd_vcop_pace_rspnet.md')


def published(heading: str) -> list[str]:
    """Return the published cells of a table, blanks removed."""
    table = PAGE.split(f'## {heading}')[1].split('\n## ')[0]
    rows = [line for line in table.splitlines() if line.startswith('| ')]
    names = [cell.strip() for cell in rows[0].split('|')]
    wanted = {'UCF101 / HMDB51', 'published'} & set(names)
    (column,) = (names.index(name) for name in wanted)
    cells = [row.split('|')[column].replace(' ', '') for row in rows[1:]]
    return [cell for cell in cells if cell != '-']


@pytest.mark.parametrize(
    ('heading', 'metrics', 'rows'), [('Fine-tuning', 2, 22), ('Retrieval', 5, 14)]
)
def test_results_stand_in_the_facts(heading: str, metrics: int, rows: int) -> None:
    facts = ''.join(shared_path(f'facts/{name}').read_text() for name in FACTS)
    facts = facts.replace(' / ', '/')
    cells = published(heading)
    assert len(cells) == rows
    for cell in cells:
        assert cell.count('/') == metrics - 1
        assert re.search(rf'(?<![\d.]){re.escape(cell)}(?![\d])', facts), cell


def test_every_named_config_is_there() -> None:
    for name in re.findall(r'`((?:vcop|pace|rspnet|pcl)/\w+)`', PAGE):
        assert (ROOT / f'configs/{name}.py').is_file(), name
