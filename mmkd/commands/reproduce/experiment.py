"""What an experiment is: arms that are compared, and the stages each consists of."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd.config_files import config_path, read_config
from mmkd.errors import UserError

_HERE = 'synthetic'
_LISTS = ('pretrain_list', 'train_list', 'test_list')


@dataclass(frozen=True)
class Experiment:
    """A comparison over several seeds, read from a file of ``configs/reproduce/``.

    Attributes:
        name: Stem of the file.
        folder: Folder of the file; the stages' configs are relative to it.
        claim: The claim that is looked at, in a sentence.
        stages: As in a pipeline (docs/pipelines.md). A string ``{stage.config}`` or
            ``{stage.checkpoint}`` in their options stands for that stage's file.
        shared: Stages that run once, with seed 0, and serve every seed.
        arms: For each row of the table, its stages.
        comparisons: Pairs of arms ``(better by the claim, baseline)``.
        videos: ``prefix``, ``lists`` and ``short_side`` of the clips, which are
            decoded once. None reads the files as the configs do.
        held_out: Arguments of ``HeldOutPretextHook`` for stages that pre-train.
        level: Pretext accuracy in percent that "epochs to reach" is counted to.
        data: Data set whose configs and lists replace the synthetic one's.
            None keeps what the file names.
        folders: Where folders of data lie instead, e.g.
            ``{'data/synthetic': 'data/synthetic_160'}``.
        larger: Arguments of :class:`~mmkd.commands.reproduce.derive.Larger`. None
            keeps the size of the configs.
        drift: For arms, the two stages whose features are compared by linear CKA.
        extra: Whether it runs only where it is named.
        void: ``measures`` of runs ``before`` a date that the page strikes out, for a
            ``reason``. None strikes nothing.
    """

    name: str
    folder: Path
    claim: str
    stages: dict[str, dict[str, Any]]
    arms: dict[str, list[str]]
    comparisons: list[tuple[str, str]] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    videos: dict[str, Any] | None = None
    held_out: dict[str, Any] | None = None
    level: float | None = None
    data: str | None = None
    folders: dict[str, str] = field(default_factory=dict)
    larger: dict[str, Any] | None = None
    drift: dict[str, tuple[str, str]] = field(default_factory=dict)
    extra: bool = False
    void: dict[str, Any] | None = None
    _read: dict[str, Config] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def method_config(self, stage: str) -> Config:
        """Return a stage's config as its file says it, which is read only once."""
        name = self.stages[stage]['config']
        if name not in self._read:
            self._read[name] = read_config(self.folder / config_path(name))
        return deepcopy(self._read[name])

    def path(self, stage: str, seed: int) -> str:
        """Return the folder of a stage, below that of the experiment."""
        return f'shared/{stage}' if stage in self.shared else f'seed{seed}/{stage}'

    def epochs(self, stage: str) -> int | None:
        """Return the epochs that a stage states, in its larger form if it has one."""
        epochs = self.stages[stage].get('epochs')
        return epochs and epochs * (self.larger or {}).get('epochs', 1)

    def missing_lists(self) -> list[str]:
        """Return the lists of videos that are not there."""
        lists = (self.videos or {}).get('lists', [])
        return [path for path in lists if not Path(path).is_file()]


def read_experiment(path: Path) -> Experiment:
    """Read an experiment: a file with the attributes of the class as variables.

    Raises:
        UserError: If it is not there, or names an arm or a stage that is not.
    """
    if not path.is_file():
        known = ', '.join(sorted(p.stem for p in path.parent.glob('*.py'))) or 'none'
        raise UserError(f'experiment {path} is not there', f'Known: {known}.')
    cfg = read_config(path).to_dict()
    names = {x.name for x in fields(Experiment) if x.init} - {'name', 'folder'}
    values = {name: cfg[name] for name in names if name in cfg}
    missing = [name for name in ('claim', 'stages', 'arms') if name not in values]
    if missing:
        raise UserError(f'{path} lacks {missing[0]}', 'See docs/reproduce.md.')
    values = moved(_use_data(values, path.parent), values.get('folders', {}))
    experiment = Experiment(name=path.stem, folder=path.parent, **values)
    arms = {arm for pair in experiment.comparisons for arm in pair}
    _check_known(arms | {*experiment.drift}, experiment.arms, 'arm', path)
    pairs = [*experiment.arms.values(), *experiment.drift.values(), experiment.shared]
    used = {name for names in pairs for name in names}
    _check_known(used, experiment.stages, 'stage', path)
    return experiment


def _check_known(used: set[str], known: Mapping, kind: str, path: Path) -> None:
    for name in sorted(used - known.keys()):
        raise UserError(f'{path} names {kind} {name!r}', f'Known: {sorted(known)}.')


def _use_data(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return an experiment's variables with those of the data set that it names.

    Stages take the config of the other set, ``vspp_r3d_ut_interaction.py`` instead of
    ``vspp_r3d_synthetic.py``; videos and held-out list are those of
    ``configs/_base_/datasets/<data>.py``.
    """
    data = values.get('data')
    if data is None:
        return values
    path = folder.parent.parent / '_base_' / 'datasets' / f'{data}.py'
    if not path.is_file():
        raise UserError(f'data = {data!r}: {path} is not there', 'Name one of those.')
    stages = {
        name: {**stage, 'config': _config_of(data, stage['config'], folder)}
        for name, stage in values['stages'].items()
    }
    lists = read_config(path)
    changed = {**values, 'stages': stages}
    if values.get('videos') is not None:
        prefix = lists.pretrain_list.data_prefix.video
        named = {'prefix': prefix, 'lists': [lists[name].ann_file for name in _LISTS]}
        changed['videos'] = {**values['videos'], **named}
    if values.get('held_out') is not None:
        test = {'ann_file': lists.test_list.ann_file}
        changed['held_out'] = {**values['held_out'], **test}
    return changed


def _config_of(data: str, name: str, folder: Path) -> str:
    other = name.replace(f'_{_HERE}', f'_{data}')
    if not (folder / other).is_file():
        raise UserError(f'{folder / other} is not there', f'It is needed for {data}.')
    return other


def moved(value: Any, folders: Mapping[str, str]) -> Any:
    """Return ``value`` with the folders that its texts start with replaced."""
    if isinstance(value, dict):
        return type(value)({key: moved(x, folders) for key, x in value.items()})
    if isinstance(value, (list, tuple)):
        return type(value)(moved(x, folders) for x in value)
    if isinstance(value, str):
        for old, new in folders.items():
            if value == old or value.startswith(f'{old}/'):
                return new + value[len(old) :]
    return value
