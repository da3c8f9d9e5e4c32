"""Parts of the pipelines of data sets with named slots."""

from collections.abc import Mapping
from typing import Any

from mmkd.datasets import pipeline_steps


def behind_decoding(dataset: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of a data set's config that follow the decoding."""
    steps = pipeline_steps(dataset)
    decode = next(n for n, s in enumerate(steps) if s['type'] == 'mmkd.DecodeViews')
    return steps[decode + 1 :]
