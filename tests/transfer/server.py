"""A small HTTP server on this machine that misbehaves on demand."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Site:
    """What a server has and does.

    Attributes:
        files: Content by path, as ``/a.bin``.
        tags: ETag by path.
        cuts: How many bytes each of the next answers has before the connection ends.
        ranges: Whether it knows ``Range``.
        announced: Content-Length that is claimed, if not the true one.
        silent: Whether it tells no length at all.
        redirects: Address by path.
        status: Status of every answer, if not that of the request.
        log: ``(path, Range, If-Range)`` of every request.
        tokens: ``Authorization`` of every request.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    announced: int | None = None
    silent: bool = False
    redirects: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    log: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    url: str = ''


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        site, wanted = self.site, self.headers['Range']
        tag = site.tags.get(self.path)
        state = self.headers['If-Range']
        site.log.append((self.path, wanted, state))
        site.tokens.append(self.headers['Authorization'])
        if self.path in site.redirects:
            self.send_response(302)
            self.send_header('Location', site.redirects[self.path])
            self.end_headers()
            return
        if site.status or self.path not in site.files:
            self.send_error(site.status or 404)
            return
        content = site.files[self.path]
        start = 0
        if wanted and site.ranges and state in (None, tag):
            start = int(re.fullmatch(r'bytes=(\d+)-', wanted)[1])
            if start >= len(content):
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        length = site.announced or len(content) - start
        if not site.silent:
            self.send_header('Content-Length', str(length))
        if start:
            span = f'bytes {start}-{len(content) - 1}/{len(content)}'
            self.send_header('Content-Range', span)
        if tag:
            self.send_header('ETag', tag)
        self.end_headers()
        end = start + site.cuts.pop(0) if site.cuts else len(content)
        self.wfile.write(content[start:end])

    def log_message(self, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, *args: object) -> None:
        """A client that hangs up is part of the tests."""


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve a site on a free port of 127.0.0.1."""
    handler = type('Handler', (_Handler,), {'site': site})
    with _Server(('127.0.0.1', 0), handler) as server:
        site.url = f'http://127.0.0.1:{server.server_address[1]}'
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
