"""Go through a config."""

from collections.abc import Iterator, Mapping
from typing import Any


def walk(node: Any, path: str = '') -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every dict of a config with its place, e.g. ``model.tasks.skd``.

    Args:
        node: The config, or a part of it.
        path: Place of ``node``.

    Yields:
        Place and dict, the outer ones first.
    """
    if isinstance(node, Mapping):
        yield path, node
        for key, value in node.items():
            yield from walk(value, f'{path}.{key}' if path else str(key))
    elif isinstance(node, (list, tuple)):
        for index, value in enumerate(node):
            yield from walk(value, f'{path}[{index}]')
