"""Read a page, and say what in it is not resolved."""

import base64
import io
import re
from html.parser import HTMLParser

from PIL import Image

_VOID = {'meta', 'link', 'img', 'source', 'br', 'wbr', 'hr'}


class Page(HTMLParser):
    """What a page refers to, and whether its elements are closed.

    Attributes:
        ids: All ids, in their order.
        anchors: What ``href="#..."`` and ``url(#...)`` name.
        images: Data URIs of pictures.
        tables: Data URIs of CSV files.
        addresses: Everything else that is referred to.
        missing: Pictures without words for them.
        text: All text.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.anchors: list[str] = re.findall(r'url\(#([^)]+)\)', html)
        self.images: list[str] = []
        self.tables: list[str] = []
        self.addresses: list[str] = []
        self.missing: list[str] = []
        self.text = ''
        self._open: list[str] = []
        self.feed(str(html))  # what is marked as safe escapes what is added to it
        self.close()
        assert self._open == [], self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or '' for name, value in attrs}
        if tag not in _VOID:
            self._open.append(tag)
        if 'id' in values:
            self.ids.append(values['id'])
        for name in ('href', 'src', 'srcset', 'xlink:href'):
            if name in values:
                self._refer(values[name])
        if tag == 'img' and not values.get('alt'):
            self.missing.append(values['src'][:40])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def _refer(self, address: str) -> None:
        if address.startswith('#'):
            self.anchors.append(address[1:])
        elif address.startswith('data:image/'):
            self.images.append(address)
        elif address.startswith('data:text/csv;'):
            self.tables.append(address)
        elif address != 'data:,':
            self.addresses.append(address)


def open_image(uri: str) -> Image.Image:
    """Decode the picture of a data URI."""
    image = Image.open(
        io.BytesIO(base64.b64decode(uri.split(',', 1)[1], validate=True))
    )
    image.load()
    return image


def check_page(html: str) -> Page:
    """Assert that a page is whole and refers to nothing outside of it."""
    page = Page(html)
    assert page.addresses == []
    assert page.missing == []
    assert len(page.ids) == len(set(page.ids))
    assert set(page.anchors) <= set(page.ids)
    assert '@import' not in html and not re.search(r'url\((?!#)', html)
    for uri in page.images:
        assert min(open_image(uri).size) > 0
    return page
