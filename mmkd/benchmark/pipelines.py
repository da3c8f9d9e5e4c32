"""Pieces of a pipeline: up to a key, and what is behind."""

from typing import Any

from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

Results = dict[str, Any]


def compose(steps: Any) -> Compose:
    """Build transforms from their configs."""
    with DefaultScope.overwrite_default_scope('mmaction'):
        return Compose(list(steps))


def run_until(pipeline: Compose, results: Results, key: str) -> Results:
    """Apply transforms one by one until one has written ``key``.

    Args:
        pipeline: Transforms.
        results: Sample, as the data set gives it.
        key: E.g. ``'imgs'``: then the frames are decoded and nothing else is done.
    """
    transform: BaseTransform
    for transform in pipeline.transforms:
        results = transform(results)
        if key in results:
            break
    return results


def length_until(pipeline: Compose, results: Results, key: str) -> int:
    """Return how many transforms it takes until ``key`` is written."""
    for number, transform in enumerate(pipeline.transforms, start=1):
        results = transform(results)
        if key in results:
            return number
    return len(pipeline.transforms)
