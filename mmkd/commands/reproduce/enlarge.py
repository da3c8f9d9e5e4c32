"""The larger form of a stage: more pixels, frames and channels, and longer training.

One rule for all stages, so that the arms of an experiment stay comparable. Ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config

from mmkd.datasets.view_steps import has_slots, pipeline_steps
from mmkd.errors import UserError

# What fixes the size of a clip, and the argument that holds it.
_SIZES = {'Resize': 'scale', 'RandomCrop': 'size', 'CenterCrop': 'size'}


@dataclass(frozen=True)
class Larger:
    """How much larger; None leaves what there is.

    What comes before the last crop grows alike. A sampler with a ``frame_interval``
    shows the same time as before.
    """

    pixels: int | None = None  # side of the clips
    frames: int | None = None  # of a clip
    width: int = 1  # factor on the channels of the backbones
    epochs: int = 1  # factor on the epochs, those of the schedule included


def enlarge(cfg: Config, larger: Larger) -> None:
    """Change a stage's config in place.

    Raises:
        UserError: If no step of a pipeline says how large its clips are.
    """
    for node in _dicts(cfg.model):
        if 'base_channels' in node:
            node['base_channels'] *= larger.width
    if 'cls_head' in cfg.model:
        cfg.model.cls_head.in_channels *= larger.width
    for name in ('train_dataloader', 'test_dataloader'):
        for node in _dicts(cfg.get(name) or {}):
            if has_slots(node) or 'pipeline' in node:
                _enlarge_clips(pipeline_steps(node), larger)
    cfg.train_cfg.max_epochs *= larger.epochs
    for schedule in cfg.param_scheduler:
        if 'T_max' in schedule:
            schedule['T_max'] *= larger.epochs


def _enlarge_clips(pipeline: list[dict[str, Any]], larger: Larger) -> None:
    steps = list(_dicts(pipeline))
    if larger.pixels is not None:
        sized = [(s, _SIZES[s['type']]) for s in steps if s.get('type') in _SIZES]
        if not sized:
            raise UserError(
                'no Resize or crop in a pipeline', 'An enlarged stage needs one.'
            )
        crop, key = sized[-1]
        side = crop[key] if isinstance(crop[key], int) else crop[key][0]
        for step, key in sized:
            step[key] = _times(step[key], larger.pixels / side)
    for step in steps:
        if larger.frames is not None and 'clip_len' in step:
            if 'frame_interval' in step:
                span = step['frame_interval'] * step['clip_len']
                step['frame_interval'] = max(1, round(span / larger.frames))
            step['clip_len'] = larger.frames


def _times(value: Any, factor: float) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_times(one, factor) for one in value)
    return round(value * factor)


def _dicts(node: Any) -> Iterator[dict[str, Any]]:
    """Yield all dicts from a node downwards, outer ones first."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for child in node:
            yield from _dicts(child)
