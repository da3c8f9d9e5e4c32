"""Have a file of the Hugging Face hub here: ``hf://ORG/REPO[/FILE][@REVISION]``.

The hub says which commit a revision is, and the SHA-256 of each of its large files; the
file is then fetched like any other (:mod:`mmkd.transfer.download`). No package of the
hub is needed. API: https://huggingface.co/docs/hub/api.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from mmkd.errors import UserError
from mmkd.files import write_text
from mmkd.transfer.download import Wanted, cache_folder, download
from mmkd.transfer.sources import (
    InterruptedSourceError,
    SourceError,
    hub_endpoint,
    open_source,
)

SCHEME = 'hf://'
WEIGHTS = ('.safetensors', '.pth', '.pt', '.bin')
_PART = r'[A-Za-z0-9][A-Za-z0-9._-]{0,95}'
_SOURCE = re.compile(
    rf'hf://(?P<repo>{_PART}/{_PART})(?:/(?P<file>[^@]+))?(?:@(?P<revision>[^@]+))?'
)
_COMMIT = re.compile('[0-9a-f]{40}')
_HASH = re.compile('[0-9a-f]{64}')
_LARGEST = 16 << 20  # bytes of the list of a repository


@dataclass(frozen=True)
class HubFile:
    """A file, or the weights, of a repository on the hub."""

    repo: str  # ORG/REPO
    file: str | None = None  # its path there; None: the only file with weights
    revision: str = 'main'  # a branch, tag or commit

    def __str__(self) -> str:
        """Return the address ``hf://...``."""
        file = f'/{self.file}' if self.file else ''
        revision = '' if self.revision == 'main' else f'@{self.revision}'
        return f'{SCHEME}{self.repo}{file}{revision}'


def parse(source: str) -> HubFile:
    """Return what ``hf://ORG/REPO[/FILE][@REVISION]`` names.

    Raises:
        UserError: If it has another form.
    """
    found = _SOURCE.fullmatch(source)
    parts = PurePosixPath(found['file']).parts if found and found['file'] else ()
    if found is None or '..' in parts or '\\' in source:
        raise UserError(
            f'{source!r} is no file of the hub',
            f'Write {SCHEME}ORG/REPO, {SCHEME}ORG/REPO/FILE or either with @REVISION.',
        )
    file = '/'.join(parts) or None
    return HubFile(found['repo'], file, found['revision'] or 'main')


def fetch_hub(source: str, suffixes: tuple[str, ...] = WEIGHTS) -> Path:
    """Return a file of the hub, fetched into the cache and checked.

    It lies in ``hub/ORG/REPO/COMMIT`` of the cache, under its own path. A revision that
    was asked for before is known without the net.

    Args:
        source: ``hf://ORG/REPO[/FILE][@REVISION]``.
        suffixes: Endings that files may have, if the source names none.

    Raises:
        UserError: If the source has another form, the hub has no such file or tells no
            SHA-256 of it, several files might be meant, or it cannot be had.
    """
    wanted = parse(source)
    repo = _read_repo(wanted)
    file = wanted.file or _only_file(wanted, list(repo.files), suffixes)
    if file not in repo.files:
        raise UserError(
            f'{wanted}: {wanted.repo} has no file {file!r} in {repo.commit[:12]}',
            f'It has {", ".join(sorted(repo.files)[:8]) or "no file"}.',
        )
    content = repo.files[file]
    if content.sha256 is None:
        raise UserError(
            f'{wanted}: the hub tells no SHA-256 of {file}, so it cannot be checked',
            'Its owner can store it as a large file (git lfs track).',
        )
    path = _folder(wanted) / repo.commit / file
    address = f'{hub_endpoint()}/{wanted.repo}/resolve/{repo.commit}/{quote(file)}'
    return download([address], path, content)


@dataclass(frozen=True)
class _Repo:
    commit: str
    files: Mapping[str, Wanted]


def _folder(wanted: HubFile) -> Path:
    return cache_folder() / 'hub' / wanted.repo


def _read_repo(wanted: HubFile) -> _Repo:
    """Return commit and files of a repository, from the hub or, without net, as kept.

    What a commit holds never changes, so its list is asked for once.
    """
    kept = _folder(wanted) / 'lists' / f'{quote(wanted.revision, safe="")}.json'
    if _COMMIT.fullmatch(wanted.revision) and kept.is_file():
        return _repo_of(kept.read_text('utf-8'), wanted)
    revision = quote(wanted.revision, safe='')
    path = f'api/models/{wanted.repo}/revision/{revision}?blobs=true'
    try:
        with open_source(f'{hub_endpoint()}/{path}') as answer:
            content = answer.stream.read(_LARGEST)
            if len(content) < (answer.total or 0):
                raise InterruptedSourceError('its answer is cut short or too long')
    except SourceError as error:
        raise UserError(
            f'{wanted}: {error}',
            'Look at its name and revision. For a private or gated one, set HF_TOKEN.',
        ) from error
    except InterruptedSourceError as error:
        if kept.is_file():
            return _repo_of(kept.read_text('utf-8'), wanted)
        raise UserError(
            f'{wanted}: {hub_endpoint()} does not answer ({error})',
            'Look at the net, or name a mirror in HF_ENDPOINT.',
        ) from error
    text = content.decode('utf-8', 'replace')
    repo = _repo_of(text, wanted)
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_text(kept, text)
    return repo


def _repo_of(text: str, wanted: HubFile) -> _Repo:
    """Read the hub's answer about a repository."""
    try:
        answer = json.loads(text)
        commit = str(answer['sha'])
        files = {str(one['rfilename']): _wanted(one) for one in answer['siblings']}
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        raise UserError(
            f'{wanted}: {hub_endpoint()} answers otherwise than the hub does '
            f'({type(error).__name__})',
            'Look at HF_ENDPOINT.',
        ) from error
    if not _COMMIT.fullmatch(commit) or any(
        {'..', '.', ''} & set(name.split('/')) or '\\' in name for name in files
    ):
        raise UserError(f'{wanted}: {hub_endpoint()} names files that nobody can have')
    return _Repo(commit, files)


def _wanted(sibling: Mapping[str, Any]) -> Wanted:
    large = sibling.get('lfs') or {}
    digest = str(large.get('sha256') or '')
    return Wanted(
        size=int(large['size']) if 'size' in large else sibling.get('size'),
        sha256=digest if _HASH.fullmatch(digest) else None,
    )


def _only_file(wanted: HubFile, files: list[str], suffixes: tuple[str, ...]) -> str:
    """Return the one file with weights; that of the first ending that has one."""
    for suffix in suffixes:
        found = sorted(name for name in files if name.endswith(suffix))
        if f'model{suffix}' in found:
            return f'model{suffix}'
        if len(found) == 1:
            return found[0]
        if found:
            some = ', '.join(f'{SCHEME}{wanted.repo}/{name}' for name in found[:4])
            raise UserError(
                f'{wanted} has {len(found)} files {suffix}', f'Name one: {some}.'
            )
    raise UserError(
        f'{wanted} has no file with weights ({", ".join(suffixes)})',
        f'It has {", ".join(sorted(files)[:8]) or "no file"}.',
    )
