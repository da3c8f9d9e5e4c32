"""Open a file at a URL or in a folder, from a given byte on."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from mmkd.files import NotRegularError, open_regular

TIMEOUT = 30.0  # seconds without a byte
HOSTS = 'MMKD_REDIRECT_HOSTS'
_KNOWN_HOSTS = (
    'objects.githubusercontent.com',
    'release-assets.githubusercontent.com',
    'huggingface.co',
)
_HUB_DOMAINS = ('.huggingface.co', '.hf.co')  # of its stores, which change names
_HUB = 'https://huggingface.co'
_BUSY = (408, 425, 429, 500, 502, 503, 504)
_NOT_THAT_FAR = 416
_NUMBER = '[0-9]{1,15}'


class SourceError(Exception):
    """A source does not give the file; another one may."""


class InterruptedSourceError(Exception):
    """A source stopped giving the file; it may go on when asked again."""


class RestartError(Exception):
    """The partial file is not a beginning of the file at the source."""


@dataclass(frozen=True)
class Answer:
    """Opened source: stream, offset, length and tag."""

    stream: IO[bytes]
    offset: int  # of the first byte in the file; 0, or what was asked for
    total: int | None  # length of the whole file in bytes, where the source says
    tag: str | None = None  # what names this state of the file, for open_source


@contextmanager
def open_source(
    source: str, offset: int = 0, tag: str | None = None
) -> Iterator[Answer]:
    """Open a file from byte ``offset`` on.

    Args:
        source: ``http(s)://`` address, or a path.
        offset: First byte wanted. A server may begin with byte 0 all the same.
        tag: That of an earlier answer; if the file has changed since, a server begins
            with byte 0. None asks for ``offset`` in any case.

    Raises:
        SourceError: If the source does not have the file, or leads elsewhere.
        InterruptedSourceError: If it might have when asked again.
        RestartError: If the file is shorter than ``offset``.
    """
    if is_address(source):
        with _open_http(source, offset, tag) as answer:
            yield answer
        return
    try:
        with open_regular(Path(source).expanduser()) as stream:
            stream.seek(offset)
            yield Answer(stream, offset, os.fstat(stream.fileno()).st_size)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise SourceError('there is no such file') from error
    except NotRegularError as error:
        raise SourceError('it is a pipe or a device, no file') from error


def is_address(source: str) -> bool:
    """Return whether a source is asked over the net."""
    return source.startswith(('http://', 'https://'))


def hub_endpoint() -> str:
    """Return the address of the Hugging Face hub: ``HF_ENDPOINT``, or its own."""
    return os.environ.get('HF_ENDPOINT', '').strip().rstrip('/') or _HUB


def _hub_token(address: str) -> str | None:
    """Return ``HF_TOKEN`` for an address of the hub that nobody can overhear."""
    token = os.environ.get('HF_TOKEN', '').strip()
    private = urlsplit(address).scheme == 'https' or (
        urlsplit(address).hostname in ('127.0.0.1', 'localhost')
    )
    return token if private and address.startswith(f'{hub_endpoint()}/') else None


@contextmanager
def _open_http(address: str, offset: int, tag: str | None) -> Iterator[Answer]:
    headers = {'User-Agent': 'mmkd'}
    if offset:
        headers['Range'] = f'bytes={offset}-'
        if tag:
            headers['If-Range'] = tag
    try:
        request = Request(address, headers=headers)
        if token := _hub_token(address):
            # Not sent where a redirect leads.
            request.add_unredirected_header('Authorization', f'Bearer {token}')
        with build_opener(_Redirects).open(request, timeout=TIMEOUT) as response:
            yield _answer(response, offset)
    except HTTPError as error:
        error.close()
        if error.code == _NOT_THAT_FAR:
            raise RestartError from error
        kind = InterruptedSourceError if error.code in _BUSY else SourceError
        raise kind(f'the server says {error.code} {error.reason}') from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, 'reason', None) or error
        raise InterruptedSourceError(str(reason) or type(error).__name__) from error


def _answer(response: Any, offset: int) -> Answer:
    headers: Message = response.headers
    tag = headers['ETag'] or ''
    if not tag or tag.startswith('W/'):  # a weak one does not vouch for the bytes
        tag = headers['Last-Modified'] or ''
    length = (headers['Content-Length'] or '').strip()
    if length and not re.fullmatch(_NUMBER, length):
        raise SourceError(f'it announces a length that is no number, {length[:20]!r}')
    if response.status != 206:
        return Answer(response, 0, int(length) if length else None, tag or None)
    found = re.fullmatch(
        rf'bytes ({_NUMBER})-{_NUMBER}/({_NUMBER}|\*)',
        (headers['Content-Range'] or '').strip(),
    )
    if not found or int(found[1]) != offset:
        raise RestartError
    total = None if found[2] == '*' else int(found[2])
    return Answer(response, offset, total, tag or None)


class _Redirects(HTTPRedirectHandler):
    """Follow redirects to allowed hosts only."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        if not may_redirect(req.full_url, newurl):
            raise SourceError(
                f'it leads to {urlsplit(newurl).scheme}://{urlsplit(newurl).netloc}, '
                f'which is not followed (see {HOSTS})'
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def may_redirect(old: str, new: str) -> bool:
    """Return whether a redirect from ``old`` to ``new`` is followed.

    To the same host, port and scheme; from http to https of the same host; and between
    hosts only over https, to one that is known (downloads of GitHub, the Hugging Face
    hub and its stores) or named in the variable ``MMKD_REDIRECT_HOSTS`` (separated by
    commas).
    """
    origin, target = urlsplit(old), urlsplit(new)
    if (origin.scheme, origin.netloc) == (target.scheme, target.netloc):
        return True
    if target.scheme != 'https':
        return False
    if origin.scheme == 'http':
        return origin.hostname == target.hostname
    named = (host.strip() for host in os.environ.get(HOSTS, '').split(','))
    host = target.hostname or ''
    known = {origin.hostname, *_KNOWN_HOSTS, *named}
    return host in known or host.endswith(_HUB_DOMAINS)
