"""Every relative link of the pages leads somewhere."""

from pathlib import Path

import pytest

from tests.docs.pages import anchors, links, pages
from tests.shared_files import ROOT

PAGES = pages()


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize('page', PAGES, ids=name)
def test_links_resolve(page: Path) -> None:
    dead = []
    for target in links(page.read_text()):
        file, _, anchor = target.partition('#')
        path = (page.parent / file).resolve() if file else page
        if not path.exists() or (anchor and anchor not in anchors(path.read_text())):
            dead.append(target)
    assert dead == []


def test_the_pages_have_links() -> None:
    assert len(PAGES) > 30
    assert sum(len(links(page.read_text())) for page in PAGES) > 60


def test_dead_links_are_seen(tmp_path: Path) -> None:
    page = tmp_path / 'page.md'
    page.write_text('# A `b`: c\n[x](gone.md) ![y](z.png)\n\n    [no](code.md)\n')
    assert links(page.read_text()) == ['gone.md', 'z.png']
    assert anchors(page.read_text()) == {'a-b-c'}
