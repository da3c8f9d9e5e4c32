"""The config that a stage runs: the method's own, with clips decoded once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd.commands.reproduce.enlarge import Larger, enlarge
from mmkd.commands.reproduce.experiment import Experiment, moved
from mmkd.datasets.view_steps import READER, has_slots
from mmkd.engine.cfg_options import merge_cfg_options


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
