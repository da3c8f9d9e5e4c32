"""One stage of a pipeline: what it runs, from which weights, by which command."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from mmkd.config_files import config_path, has_splits, read_config
from mmkd.errors import UserError
from mmkd.processes import script_command

Kind = Literal['train', 'test', 'evaluate']
KEYS = {
    'train': {'kind', 'config', 'weights', 'teacher', 'epoch', 'options', 'seed'},
    'test': {'kind', 'config', 'weights', 'epoch', 'options'},
    'evaluate': {'kind', 'config', 'weights', 'epoch', 'options', 'protocols'},
}


@dataclass(frozen=True)
class Stage:
    """One run of ``train.py``, ``test.py`` or ``evaluate.py``."""

    name: str  # name in the pipeline, and of its folder
    config: Path
    kind: Kind = 'train'
    weights: str | None = None  # stage whose checkpoint it starts from, or a file
    # stage whose last checkpoint is model.teacher.checkpoint, or a file. None: what the
    # config says.
    teacher: str | None = None
    epoch: int | None = None  # epoch of the checkpoint of weights; None takes the last
    # settings that override the config's, as --cfg-options does
    options: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    protocols: tuple[str, ...] = ()  # what evaluate.py measures
    # other stages that must be done before, whose files its config names
    needs: tuple[str, ...] = ()
    # split of its data set. None: the one that its config names.
    split: int | None = None

    def fingerprint(self, source: str, teacher: str = '') -> str:
        """Return a hash of all that decides the stage's outcome.

        ``source`` and ``teacher`` are the fingerprints of the stages that it starts
        from and that trained its teacher, or ''.
        """
        config = read_config(self.config, self.split).to_dict()
        facts = [config, self.kind, self.weights, self.epoch, self.seed, source]
        facts += [sorted(self.options.items()), self.protocols]
        if self.teacher:
            facts += [self.teacher, teacher]
        return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()


def _read_stage(name: str, entry: Mapping[str, Any], folder: Path) -> Stage:
    kind = entry.get('kind', 'train')
    if kind not in KEYS:
        raise UserError(f'stage {name!r}: kind {kind!r}', f'Use {", ".join(KEYS)}.')
    unknown = sorted(set(entry) - KEYS[kind])
    if unknown or 'config' not in entry:
        wrong = f'unknown key {unknown[0]!r}' if unknown else 'no config'
        raise UserError(
            f'stage {name!r}: {wrong}', f'A {kind} stage has {sorted(KEYS[kind])}.'
        )
    if kind == 'test' and not entry.get('weights'):
        raise UserError(
            f'stage {name!r}: a test needs weights', 'Name a stage or file.'
        )
    # An absolute path, as that of a config of the package, stays as it is.
    values = {**entry, 'config': folder / config_path(entry['config'])}
    if not values['config'].is_file():
        raise UserError(
            f'stage {name!r}: config {values["config"]} is not there',
            'Paths are relative to the pipeline config.',
        )
    if 'protocols' in values:
        values['protocols'] = tuple(values['protocols'])
    options = entry.get('options', {})
    for key, value in options.items():
        if _holds_dict(value):
            raise UserError(
                f'stage {name!r}: option {key!r} holds a dict, which no command line '
                'takes',
                'Name what is in it with further dots, or write a config with it.',
            )
    if options:
        # Here, because it imports torch and the models.
        from mmkd.engine.cfg_options import check_cfg_options

        cfg = read_config(values['config'])
        check_cfg_options(cfg, options, f'stage {name!r}: option')
    return Stage(name=name, **values)


def _holds_dict(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_dict, value))
    return isinstance(value, dict)


def read_pipeline(
    path: Path, split: int | None = None
) -> tuple[list[Stage], dict[str, list[str]]]:
    """Read the stages of a pipeline config, and for each row of its table its stages.

    Args:
        path: A config with ``stages = dict(name=dict(config=..., ...))`` in the order
            in which they run, and perhaps ``table = {row: [stage, ...]}``.
        split: Split of the data set, for every stage whose config depends on it.
            None: the one that the configs name.

    Raises:
        UserError: If a stage is not well-formed, or starts from one that does not come
            before it, or a row names a stage that is not there; or if no stage depends
            on the split, or its data set does not have it.
    """
    path = Path(config_path(path))
    cfg = read_config(path)
    if not cfg.get('stages'):
        raise UserError(f'{path} has no stages', 'Give stages = dict(name=dict(...)).')
    stages = [_read_stage(k, v.to_dict(), path.parent) for k, v in cfg.stages.items()]
    if split is not None:
        stages = _for_split(stages, split, path)
    table = {row: list(names) for row, names in cfg.get('table', {}).items()}
    names = {stage.name for stage in stages}
    for row, members in table.items():
        for name in set(members) - names:
            raise UserError(
                f'{path}: row {row!r} names stage {name!r}, which is not there'
            )
    _check_order(stages, path)
    return stages, table


def _for_split(stages: list[Stage], split: int, path: Path) -> list[Stage]:
    """Name the split in the stages whose configs depend on it."""
    found = [
        replace(stage, split=split) if has_splits(stage.config) else stage
        for stage in stages
    ]
    if found == stages:
        raise UserError(
            f'--split {split}: no stage of {path} depends on the split',
            'Leave the option out.',
        )
    for stage in found:
        read_config(stage.config, stage.split)
    return found


def _check_order(stages: list[Stage], path: Path) -> None:
    names = {stage.name for stage in stages}
    before: set[str] = set()
    for stage in stages:
        for needed in (stage.weights, stage.teacher):
            if needed in names - before:
                raise UserError(
                    f'{path}: stage {stage.name!r} starts from {needed!r}, '
                    'which does not come before it',
                    'Change the order of the stages.',
                )
        before.add(stage.name)


def launcher(script: Path, processes: int) -> list[str]:
    """Return what starts a program of ``tools/`` on one or several processes."""
    if processes == 1:
        return script_command(script)
    start = script_command(script.with_name('launch.py'))
    return [*start, '--standalone', f'--nproc_per_node={processes}', str(script)]


def stage_command(
    stage: Stage,
    tools: Path,
    folder: Path,
    weights: Path | str | None,
    processes: int,
    teacher: Path | str | None = None,
) -> list[str]:
    """Return the arguments of the child process of a stage; no shell is involved.

    Args:
        stage: The stage.
        tools: Folder of ``train.py``, ``test.py`` and ``evaluate.py``.
        folder: Its folder, which becomes the work_dir.
        weights: Checkpoint it starts from, if any.
        processes: Processes of a training or a test; an evaluation has one.
        teacher: Checkpoint of its teacher, if the pipeline says it.
    """
    distributed = processes > 1 and stage.kind != 'evaluate'
    script = tools / f'{stage.kind}.py'
    command = [*launcher(script, processes if distributed else 1), str(stage.config)]
    if stage.split is not None:
        command += ['--split', str(stage.split)]
    options = dict(stage.options)
    if stage.kind == 'train':
        command += ['--work-dir', str(folder), '--seed', str(stage.seed)]
        if weights is not None:
            options['load_from'] = str(weights)
        if teacher is not None:
            options['model.teacher.checkpoint'] = str(teacher)
        if (folder / 'last_checkpoint').exists():
            command += ['--resume']
    else:
        command += [str(weights) if weights else 'random']
        command += ['--json', str(folder / 'metrics.json')]
    if stage.kind == 'evaluate':
        command += ['--seed', str(stage.seed)]
    if stage.kind == 'test':
        command += ['--work-dir', str(folder)]
    if stage.protocols:
        command += ['--protocols', *stage.protocols]
    if distributed:
        command += ['--launcher', 'pytorch']
    if options:
        command += ['--cfg-options', *(f'{k}={v}' for k, v in options.items())]
    return command
