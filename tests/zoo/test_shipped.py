"""What the project ships: index, files and tables say the same, and it loads."""

import re

import pytest

from mmkd.files import TABLE_BEGIN, TABLE_END
from mmkd.transfer.model_index import Index, ZooModel
from mmkd.zoo.tables import is_main, markdown_table, metric_lines, results_table
from mmkd.zoo.verify import verify
from tests.shared_files import ROOT

LARGEST = 2_000_000  # bytes of one file
ZOO = ROOT / 'zoo'


@pytest.fixture(scope='module')
def index() -> Index:
    return Index(ROOT / 'model-index.yml')


@pytest.fixture(autouse=True)
def own_zoo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('MMKD_ZOO', raising=False)


def shipped(index: Index) -> list[ZooModel]:
    """Models whose weights are part of the project."""
    return [model for model in index.published() if model.address is None]


def test_every_file_is_in_the_index_and_small(index: Index) -> None:
    there = {p.name for p in ZOO.iterdir() if not p.name.startswith('.')}
    listed = {file.name for model in shipped(index) for file in model.files}
    assert there == {'README.md', *listed}
    assert {p.name for p in ZOO.iterdir() if p.stat().st_size > LARGEST} == set()


def test_everything_shipped_verifies(index: Index) -> None:
    found = {model.name: verify(index, model) for model in shipped(index)}
    assert found == {model.name: [] for model in shipped(index)}


def test_what_is_shipped_has_its_log_and_metrics(index: Index) -> None:
    assert [m.name for m in shipped(index) if not (m.log and m.results)] == []


def test_the_readme_has_the_table_of_the_index(index: Index) -> None:
    text = (ZOO / 'README.md').read_text()
    table = text.partition(TABLE_BEGIN)[2].partition(TABLE_END)[0].strip()
    assert table == markdown_table(index.published())


def test_the_page_of_results_has_their_metrics(index: Index) -> None:
    text = (ROOT / 'docs/results.md').read_text()
    table = text.partition(TABLE_BEGIN)[2].partition(TABLE_END)[0].strip()
    assert table == results_table(index.published())


def test_configs_and_names(index: Index) -> None:
    for model in index.models.values():
        assert (ROOT / model.config).is_file(), model.name


def test_pages_name_no_model_that_is_not_there(index: Index) -> None:
    """A table in a page may name ``mmkd://NAME`` only if it can be fetched."""
    pages = [
        ROOT / 'README.md',
        *ROOT.glob('docs/**/*.md'),
        *ROOT.glob('configs/*/*.md'),
    ]
    named = {
        (page.name, name)
        for page in pages
        for name in re.findall(r'mmkd://([a-z0-9_.+-]+)', page.read_text())
    }
    there = {model.name for model in index.published()}
    assert {(page, name) for page, name in named if name not in there} == set()


def test_metrics_are_shares(index: Index) -> None:
    for model in index.published():
        for result in model.results:
            assert all(0 <= x <= 1 for x in result['Metrics'].values()), model.name
        shown = ' '.join(metric_lines(model))
        for result in model.results:
            for name, value in result['Metrics'].items():
                if is_main(name):
                    assert f' {100 * value:.2f}' in shown, f'{model.name}: {name}'
