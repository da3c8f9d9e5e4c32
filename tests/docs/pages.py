"""The project's pages: their links, headings and commands."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.shared_files import ROOT

_FENCE = re.compile(r'^( *)```(\w*)$')
_LINK = re.compile(r'!?\[[^\]]*\]\(([^)\s]+)\)')
_SHELL = ('', 'bash', 'sh', 'console', 'text')

PROGRAMS = ('python', 'python3.11', 'bash', 'sh', 'make', 'pip', 'mim', 'mmkd')


def pages() -> list[Path]:
    """Return all pages that people read."""
    folders = ('docs', 'configs', 'zoo', '.github')
    deep = [path for folder in folders for path in (ROOT / folder).rglob('*.md')]
    return sorted([*ROOT.glob('*.md'), *deep])


def split_code(text: str) -> tuple[str, list[str]]:
    """Return the prose of a page, and its blocks of shell commands or plain text."""
    prose: list[str] = []
    blocks: list[list[str]] = []
    fence: str | None = None
    was_blank = in_block = False
    for line in text.splitlines():
        match = _FENCE.match(line)
        if match:
            fence = match.group(2) if fence is None else None
            blocks.append([])
        elif fence is not None:
            if fence in _SHELL:
                blocks[-1].append(line.strip())
        elif line.startswith('    ') and (was_blank or in_block):
            if not in_block:
                blocks.append([])
            in_block = True
            blocks[-1].append(line.strip())
            continue
        else:
            prose.append(line)
            in_block = in_block and not line.strip()
        was_blank = not line.strip()
    return '\n'.join(prose), ['\n'.join(block) for block in blocks if block]


def links(text: str) -> list[str]:
    """Return the targets of links and pictures that lie in this project."""
    targets = _LINK.findall(re.sub(r'`[^`]*`', '', split_code(text)[0]))
    return [t for t in targets if not re.match(r'[a-z]+:', t) and t != '...']


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings."""
    headings = re.findall(r'^#+ (.*)$', split_code(text)[0], re.M)
    plain = [re.sub(r'\]\([^)]*\)|[`*\[\]]', '', heading) for heading in headings]
    return {re.sub(r'[^\w\- ]', '', h.lower()).replace(' ', '-') for h in plain}


def commands(text: str) -> list[str]:
    """Return the shell commands of a page's blocks, one line each."""
    blocks = split_code(text)[1]
    return list(_commands(re.sub(r'\\\n\s*', ' ', '\n'.join(blocks)).splitlines()))


def mentions(text: str) -> list[str]:
    """Return the shell commands within a page's sentences, which may be cut short."""
    spans = re.findall(r'`([^`\n]+(?:\n[^`\n]+)?)`', split_code(text)[0])
    return list(_commands(' '.join(span.split()) for span in spans))


def _commands(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        for part in re.split(r'&&|\|\|?|;', re.sub(r' #.*', '', line)):
            words = part.split()
            # What stands in angle brackets is for the reader to fill in.
            if len(words) > 1 and words[0] in PROGRAMS and '<' not in part:
                yield ' '.join(words)
