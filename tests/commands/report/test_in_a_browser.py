"""The page as Chromium shows it: all is there, by day, by night and on a telephone."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmkd.commands.report.page import DAY, NIGHT
from tests.commands.report.browser import examine, find_chromium, take_picture
from tests.commands.report.checking import Page

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason='no Chromium here (Debian: package chromium)'
)


@pytest.mark.parametrize(('width', 'dark'), [(1280, False), (390, True)])
def test_everything_is_resolved(written: Path, width: int, dark: bool) -> None:
    page = Page(written.read_text())
    found = examine(written, width, dark)
    # A moving picture has a still one beside it, of which the browser shows one.
    still = written.read_text().count('<source')
    assert found['images'] == len(page.images) - still
    assert found['broken'] == found['dead'] == found['requests'] == []
    assert found['charts'] == written.read_text().count('class="chart"')
    answering, asked = found['hover']
    assert answering == asked > 5
    assert found['overflow'] == 0
    ink, paper = (_brightness(found[name]) for name in ('ink', 'paper'))
    assert (ink > paper + 150) if dark else (paper > ink + 150)


def test_a_picture_of_it(written: Path, tmp_path: Path) -> None:
    for dark in (False, True):
        take_picture(written, tmp_path / f'{dark}.png', (1000, 1400), 'losses', dark)
    day, night = (
        np.asarray(Image.open(tmp_path / f'{dark}.png').convert('RGB'), int)
        for dark in (False, True)
    )
    assert day.shape == night.shape == (1400, 1000, 3)
    assert np.median(day) > 200 > 60 > np.median(night)
    # Lines of the charts, in the first colour of the page.
    for picture, shown, hidden in ((day, DAY, NIGHT), (night, NIGHT, DAY)):
        assert _pixels(picture, shown['s0']) > 200 > 5 > _pixels(picture, hidden['s0'])


def _pixels(picture: np.ndarray, colour: str) -> int:
    rgb = [int(colour[n : n + 2], 16) for n in (1, 3, 5)]
    return int((np.abs(picture - rgb).sum(axis=2) < 30).sum())


def _brightness(colour: str) -> float:
    return sum(map(int, colour[4:-1].split(','))) / 3


def test_faults_are_seen(tmp_path: Path) -> None:
    page = tmp_path / 'page.html'
    page.write_text(
        '<!doctype html><body style="width:3000px"><a href="#gone">x</a>'
        '<img alt="cut" src="data:image/png;base64,iVBORw0KGgo=">'
        '<img alt="away" src="missing.png"></body>'
    )
    found = examine(page)
    assert found['broken'] == ['cut', 'away']
    assert found['dead'] == ['gone']
    assert [Path(name).name for name in found['requests']] == ['missing.png']
    assert found['overflow'] > 1000
