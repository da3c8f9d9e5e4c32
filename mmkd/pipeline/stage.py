"""One stage of a pipeline: what it runs, from which weights, into which folder."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mmengine.config import Config

from mmkd.errors import UserError

Kind = Literal['train', 'test', 'evaluate']
KEYS = {
    'train': {'kind', 'config', 'weights', 'teacher', 'epoch', 'options', 'seed'},
    'test': {'kind', 'config', 'weights', 'epoch', 'options'},
    'evaluate': {'kind', 'config', 'weights', 'epoch', 'options', 'protocols'},
}


@dataclass(frozen=True)
class Stage:
    """One run of ``train.py``, ``test.py`` or ``evaluate.py``.

    Attributes:
        name: Name in the pipeline, and of its folder.
        config: Path of the method's config.
        kind: Which program runs. Defaults to ``'train'``.
        weights: Stage whose checkpoint it starts from, or a file. Defaults to None.
        teacher: Stage whose last checkpoint is ``model.teacher.checkpoint``, or a
            file. Defaults to None: what the config says.
        epoch: Epoch of the checkpoint of ``weights``; None takes the last.
        options: Settings that override the config's, as ``--cfg-options`` does.
        seed: Random seed of a training. Defaults to 0.
        protocols: What ``evaluate.py`` measures.
        needs: Other stages that must be done before, whose files its config names.
    """

    name: str
    config: Path
    kind: Kind = 'train'
    weights: str | None = None
    teacher: str | None = None
    epoch: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    protocols: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def fingerprint(self, source: str, teacher: str = '') -> str:
        """Return a hash of all that decides the stage's outcome.

        Args:
            source: Fingerprint of the stage that it starts from, or ''.
            teacher: Fingerprint of the stage that trained its teacher, or ''.
        """
        config = Config.fromfile(self.config).to_dict()
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
    values = {**entry, 'config': folder / entry['config']}
    if not values['config'].is_file():
        raise UserError(
            f'stage {name!r}: config {values["config"]} is not there',
            'Paths are relative to the pipeline config.',
        )
    if 'protocols' in values:
        values['protocols'] = tuple(values['protocols'])
    _check_options(name, entry.get('options', {}))
    return Stage(name=name, **values)


def _check_options(stage: str, options: Mapping[str, Any]) -> None:
    for key, value in options.items():
        if _holds_dict(value):
            raise UserError(
                f'stage {stage!r}: option {key!r} holds a dict, which no command line '
                'takes',
                'Name what is in it with further dots, or write a config with it.',
            )


def _holds_dict(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_dict, value))
    return isinstance(value, dict)


def read_pipeline(path: Path) -> tuple[list[Stage], dict[str, list[str]]]:
    """Read the stages and the table of a pipeline config.

    Args:
        path: A config with ``stages = dict(name=dict(config=..., ...))`` in the order
            in which they run, and perhaps ``table = {row: [stage, ...]}``.

    Returns:
        The stages, and for each row of the final table the stages it sums up.

    Raises:
        UserError: If a stage is not well-formed, or starts from one that does not come
            before it, or a row names a stage that is not there.
    """
    if not path.is_file():
        raise UserError(f'pipeline config {path} is not there', 'Check the path.')
    cfg = Config.fromfile(path)
    if not cfg.get('stages'):
        raise UserError(f'{path} has no stages', 'Give stages = dict(name=dict(...)).')
    stages = [_read_stage(k, v.to_dict(), path.parent) for k, v in cfg.stages.items()]
    table = {row: list(names) for row, names in cfg.get('table', {}).items()}
    names = {stage.name for stage in stages}
    for row, members in table.items():
        for name in set(members) - names:
            raise UserError(
                f'{path}: row {row!r} names stage {name!r}, which is not there'
            )
    _check_order(stages, path)
    return stages, table


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
