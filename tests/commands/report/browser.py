"""Chromium without a window: pictures of a page, and what it says of itself."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from html import unescape
from pathlib import Path
from typing import Any

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')

# Appended to a copy of the page; writes what is wrong into it.
SCRIPT = """
<script>addEventListener('load', () => {
  const images = [...document.images, ...document.querySelectorAll('image')];
  // One that cannot be decoded has no width.
  const broken = [...document.images].filter(
    image => !image.complete || !image.naturalWidth).map(image => image.alt);
  const anchors = [...document.querySelectorAll('[href^="#"]')].map(
    e => e.getAttribute('href').slice(1));
  // A file that is not there leaves no entry in every release of Chromium.
  const requests = [...new Set([...[...document.images].map(image => image.src),
    ...performance.getEntriesByType('resource').map(e => e.name)])];
  const root = document.documentElement;
  // Of some marks of the charts whether they are on top, so that their text is shown.
  const marks = [...document.querySelectorAll('svg.chart use')].filter(
    mark => mark.querySelector('title'));
  const answers = marks.filter((_, index) => index % 10 === 0).map(mark => {
    mark.closest('svg').scrollIntoView({behavior: 'instant'});
    const box = mark.getBoundingClientRect();
    const top = document.elementFromPoint(
      box.x + box.width / 2, box.y + box.height / 2);
    return Boolean(top && top.querySelector('title'));
  });
  const found = {
    images: images.length, broken, requests: requests.filter(
      name => !name.startsWith('data:')),
    dead: anchors.filter(id => !document.getElementById(id)),
    charts: [...document.querySelectorAll('svg.chart')].filter(
      e => e.getBoundingClientRect().height > 100).length,
    hover: [answers.filter(Boolean).length, answers.length],
    overflow: root.scrollWidth - root.clientWidth,
    ink: getComputedStyle(document.body).color,
    paper: getComputedStyle(document.body).backgroundColor,
  };
  const out = document.createElement('pre');
  out.id = 'found'; out.textContent = JSON.stringify(found);
  document.body.append(out);
});</script>
"""


def find_chromium() -> str | None:
    """Return the program, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def examine(page: Path, width: int = 1280, dark: bool = False) -> dict[str, Any]:
    """Open a copy of a page that examines itself, and return what it finds."""
    html = page.read_text(encoding='utf-8')
    # The page itself forbids scripts.
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', '', html)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, 'copy.html')
        copy.write_text(html.replace('</body>', f'{SCRIPT}</body>'), encoding='utf-8')
        dom = _run(copy.as_uri(), (width, 1000), dark, '--dump-dom')
    found = re.search(r'<pre id="found">(.*?)</pre>', dom, re.S)
    assert found is not None, 'the page did not come to its end'
    return json.loads(unescape(found[1]))


def take_picture(
    page: Path,
    out: Path,
    size: tuple[int, int] = (1280, 900),
    anchor: str = '',
    dark: bool = False,
) -> None:
    """Write a PNG of a page, or of the section of an anchor alone."""
    html = page.read_text(encoding='utf-8')
    if anchor:
        # A picture of a page that was scrolled is not to be relied on.
        others = f'<style>header, section:not(#{anchor}) {{display: none}}</style>'
        html = html.replace('</head>', f'{others}</head>')
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, 'copy.html')
        copy.write_text(html, encoding='utf-8')
        _run(copy.as_uri(), size, dark, f'--screenshot={out.resolve()}')


def _run(address: str, size: tuple[int, int], dark: bool, action: str) -> str:
    program = find_chromium()
    assert program is not None
    with tempfile.TemporaryDirectory() as profile:
        command = [
            *(program, '--headless', '--disable-gpu', '--hide-scrollbars'),
            *('--disable-background-networking', f'--user-data-dir={profile}'),
            *(f'--window-size={size[0]},{size[1]}', '--virtual-time-budget=5000'),
            f'--blink-settings=preferredColorScheme={0 if dark else 1}',
            *(['--no-sandbox'] if os.getuid() == 0 else []),
            *(action, address),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout
