"""Derive the config that a stage runs: the method's own, with clips decoded once.

Or its larger form: more pixels, frames and channels, and longer training, by one rule
for all stages, so that the arms of an experiment stay comparable.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd.commands.reproduce.experiment import Experiment, moved
from mmkd.datasets.view_steps import READER, has_slots, pipeline_steps
from mmkd.engine.cfg_options import merge_cfg_options
from mmkd.errors import UserError

# What fixes the size of a clip, and the argument that holds it.
_SIZES = {'Resize': 'scale', 'RandomCrop': 'size', 'CenterCrop': 'size'}


def derive_config(
    experiment: Experiment, stage: str, files: Mapping[str, str], packed: Path | None
) -> Config:
    """Return the config of a stage, whose options name ``files`` as ``{...}``.

    Clips are read from the folder ``packed``, where they were decoded.

    Raises:
        UserError: If an option does not fit the config.
    """
    cfg = experiment.method_config(stage)
    options = filled(experiment.stages[stage].get('options', {}), files)
    merge_cfg_options(cfg, options, f'{experiment.name}, stage {stage!r}, option')
    cfg = Config(moved(cfg.to_dict(), experiment.folders), filename=cfg.filename)
    if experiment.larger is not None:
        enlarge(cfg, Larger(**experiment.larger))
    for name in ('train_dataloader', 'test_dataloader'):
        if packed is not None and cfg.get(name) is not None:
            read_packed(cfg[name], str(packed))
            # Nothing is left to do that would be worth a process.
            cfg[name].update(num_workers=0, persistent_workers=False)
    if experiment.held_out is not None and pretrains(cfg):
        hook = {'type': 'mmkd.HeldOutPretextHook', **experiment.held_out}
        cfg.custom_hooks = [*cfg.custom_hooks, hook]
    return cfg


def pretrains(cfg: Config) -> bool:
    """Tell whether the model, or the student in it, is a Pretrainer."""
    model = cfg.model.get('student', cfg.model)
    return model.type == 'mmkd.Pretrainer'


def read_packed(node: Any, folder: str) -> None:
    """Let all that opens a video below a node read decoded clips instead, in place."""
    if has_slots(node):
        node.setdefault('reader', dict(READER))
    if isinstance(node, dict) and node.get('type') in ('DecordInit', 'mmkd.OpenVideo'):
        node.clear()
        node.update(type='mmkd.OpenPacked', folder=folder)
    if isinstance(node, (dict, list, tuple)):
        for child in node.values() if isinstance(node, dict) else node:
            read_packed(child, folder)


def filled(value: Any, files: Mapping[str, str]) -> Any:
    """Return ``value`` with each string ``{name}`` in it replaced by a file's path."""
    if isinstance(value, dict):
        return {key: filled(child, files) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(filled(child, files) for child in value)
    name = _placeholder(value)
    return value if name is None else files[name]


def stages_read(value: Any) -> list[str]:
    """Return the stages whose checkpoints a stage's options name, in their order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return list(dict.fromkeys(name for x in value for name in stages_read(x)))
    stage, _, file = (_placeholder(value) or '').partition('.')
    return [stage] if file == 'checkpoint' else []


def _placeholder(value: Any) -> str | None:
    if isinstance(value, str) and value.startswith('{') and value.endswith('}'):
        return value[1:-1]
    return None


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
