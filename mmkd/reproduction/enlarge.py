"""The larger form of a stage: more pixels, frames and channels, and longer training.

One rule for all stages, so that the arms of an experiment stay comparable. Ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config

from mmkd.errors import UserError

# What fixes the size of a clip, and the argument that holds it.
SIZES = {'Resize': 'scale', 'RandomCrop': 'size', 'CenterCrop': 'size'}


@dataclass(frozen=True)
class Larger:
    """How much larger.

    Attributes:
        pixels: Side of the clips; what comes before the last crop grows alike. None
            leaves it.
        frames: Frames of a clip. A sampler with a ``frame_interval`` shows the same
            time as before. None leaves them.
        width: Factor on the channels of the backbones.
        epochs: Factor on the epochs, those of the schedule included.
    """

    pixels: int | None = None
    frames: int | None = None
    width: int = 1
    epochs: int = 1


def enlarge(cfg: Config, larger: Larger) -> None:
    """Change a stage's config in place.

    Args:
        cfg: The config.
        larger: How much.

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
            if 'pipeline' in node:
                _enlarge_clips(node['pipeline'], larger)
    cfg.train_cfg.max_epochs *= larger.epochs
    for schedule in cfg.param_scheduler:
        if 'T_max' in schedule:
            schedule['T_max'] *= larger.epochs


def _enlarge_clips(pipeline: list[dict[str, Any]], larger: Larger) -> None:
    steps = list(_dicts(pipeline))
    if larger.pixels is not None:
        sized = [step for step in steps if step.get('type') in SIZES]
        if not sized:
            raise UserError(
                'no Resize or crop in a pipeline', 'An enlarged stage needs one.'
            )
        factor = larger.pixels / _side(sized[-1])
        for step in sized:
            key = SIZES[step['type']]
            step[key] = _times(step[key], factor)
    for step in steps:
        if larger.frames is not None and 'clip_len' in step:
            _stretch(step, larger.frames)


def _side(step: dict[str, Any]) -> int:
    value = step[SIZES[step['type']]]
    return value if isinstance(value, int) else value[0]


def _times(value: Any, factor: float) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_times(one, factor) for one in value)
    return round(value * factor)


def _stretch(sampler: dict[str, Any], frames: int) -> None:
    if 'frame_interval' in sampler:
        span = sampler['frame_interval'] * sampler['clip_len']
        sampler['frame_interval'] = max(1, round(span / frames))
    sampler['clip_len'] = frames


def _dicts(node: Any) -> Iterator[dict[str, Any]]:
    """Yield all dicts from a node downwards, outer ones first."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for child in node:
            yield from _dicts(child)
