"""Hash lists of samples, to compare them and find videos in common."""

import hashlib
import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmkd.errors import UserError

_BITS = 128


def list_digest(dataset: Any) -> dict[str, Any]:
    """Compute a digest of the samples of a data set, to notice changes.

    The folder of the videos does not count, so that a run may be moved. Of data sets
    without MMEngine's ``get_data_info`` only the length is known.

    Returns:
        ``samples``, their number; ``order``, a digest of the entries in their order;
        ``content``, one that does not depend on the order.
    """
    ordered, total = hashlib.blake2b(digest_size=_BITS // 8), 0
    for entry in _entries(dataset):
        digest = hashlib.blake2b(entry.encode(), digest_size=_BITS // 8).digest()
        ordered.update(digest)
        total = (total + int.from_bytes(digest, 'little')) % 2**_BITS
    return {
        'samples': len(dataset),
        'order': ordered.hexdigest(),
        'content': f'{total:0{_BITS // 4}x}',
    }


def list_change(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Describe in a few words how a list differs from the one before."""
    if before['samples'] != now['samples']:
        return f'the training list has {now["samples"]} samples, not the ' + (
            f'{before["samples"]} of before'
        )
    if before['content'] != now['content']:
        return f'the training list of {now["samples"]} samples has other entries'
    if before['order'] != now['order']:
        return f'the training list of {now["samples"]} samples is in another order'
    return None


def _entries(dataset: Any) -> Iterator[str]:
    """Yield a line for each entry, and one for each data set around others."""
    inner = getattr(dataset, 'datasets', None)
    if inner is None and 'dataset' in vars(dataset):
        inner = [dataset.dataset]
    if inner is not None:
        for one in inner:
            yield from _entries(one)
        # Of RepeatDataset and ClassBalancedDataset.
        yield _text(getattr(dataset, 'repeat_indices', len(dataset)), ())
        return
    if not hasattr(dataset, 'get_data_info'):
        yield str(len(dataset))
        return
    prefixes = getattr(dataset, 'data_prefix', None)
    named = prefixes.values() if isinstance(prefixes, Mapping) else ()
    folders = tuple(
        os.path.join(one, '') for one in named if isinstance(one, str) and one
    )
    for index in range(getattr(dataset, 'num_videos', None) or len(dataset)):
        info = dataset.get_data_info(index)
        known = {k: v for k, v in info.items() if k != 'sample_idx'}
        yield _text(known, folders)
    if getattr(dataset, 'repeat', None) is not None:
        # As of RepeatDataset, which runs from before ViewDataset had around it.
        yield _text(len(dataset), ())


def _text(value: Any, folders: tuple[str, ...]) -> str:
    """Write a value down so that equal ones give equal text."""
    if isinstance(value, Tensor):
        value = value.numpy()
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, str):
        for folder in folders:
            value = value.removeprefix(folder)
    if isinstance(value, Mapping):
        pairs = sorted((str(k), _text(v, folders)) for k, v in value.items())
        return f'{{{",".join(f"{k!r}:{v}" for k, v in pairs)}}}'
    if isinstance(value, (list, tuple)):
        return f'[{",".join(_text(one, folders) for one in value)}]'
    if isinstance(value, (str, bytes, bool, int, float, type(None))):
        return repr(value)
    return type(value).__name__  # has no text that is the same in another process


LIST_KEY = 'training_list_hashes'
"""Entry of a checkpoint's ``meta``: sorted int64, 8 bytes for each video."""


def hashes(names: Iterable[str]) -> Tensor:
    """Return the hashes of videos, sorted, each once.

    Args:
        names: Paths relative to the folder of the videos, as lists have them.

    Returns:
        int64 ``(V,)``: the first 8 bytes of the SHA-256 of each name. Two of a million
        names share one with a probability below 1e-7.
    """
    plain = (posixpath.normpath(name).encode() for name in names)
    digests = (hashlib.sha256(name).digest()[:8] for name in plain)
    numbers = {int.from_bytes(one, 'little', signed=True) for one in digests}
    return torch.tensor(sorted(numbers), dtype=torch.int64)


def video_names(dataset: Any) -> Iterator[str]:
    """Yield the videos of a data set, relative to its folder; of those it wraps."""
    wrapped = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if wrapped != [None]:
        for inner in wrapped:
            yield from video_names(inner)
        return
    if not hasattr(dataset, 'get_data_info'):
        return
    prefix = (getattr(dataset, 'data_prefix', None) or {}).get('video') or ''
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        path = info.get('filename')
        if isinstance(path, str):
            yield posixpath.relpath(path, prefix) if prefix else path


def overlap_line(
    meta: Mapping[str, Any] | None, names: Iterable[str], source: str
) -> str | None:
    """Say how many videos of a test list a checkpoint was trained on."""
    trained = (meta or {}).get(LIST_KEY)
    if not isinstance(trained, Tensor):
        return None
    tested = hashes(names)
    shared = int(torch.isin(tested, trained).sum())
    if not shared:
        return None
    return (
        f'{shared} of the {len(tested)} videos of the test list bear the names of '
        f'videos that {source} was trained on'
    )


def number_of_videos(dataset: Any) -> int:
    """Return how many different ``sample_idx`` a data set gives.

    A data set that repeats its videos, or a wrapper that does, gives each index again.

    Raises:
        UserError: If data sets are joined, because their indices overlap.
    """
    while hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    if hasattr(dataset, 'datasets'):
        raise UserError(
            f'memory banks cannot use the indices of a {type(dataset).__name__}',
            'Join the lists into one file.',
        )
    return getattr(dataset, 'num_videos', None) or len(dataset)
