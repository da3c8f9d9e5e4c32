"""What an experiment is: arms that are compared, and the stages each consists of."""

from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd.errors import UserError
from mmkd.reproduction.variant import moved, use_data


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
        data: Data set whose configs and lists take the place of the synthetic one's.
            None keeps what the file names.
        folders: Where folders of data lie instead, e.g.
            ``{'data/synthetic': 'data/synthetic_160'}``.
        larger: Arguments of :class:`~mmkd.reproduction.enlarge.Larger`. None keeps the
            size of the configs.
        drift: For arms, the two stages whose features are compared by linear CKA.
        extra: Whether it runs only where it is named.
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
    _read: dict[str, Config] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def method_config(self, stage: str) -> Config:
        """Return a stage's config as its file says it, which is read only once."""
        name = self.stages[stage]['config']
        if name not in self._read:
            self._read[name] = Config.fromfile(self.folder / name)
        return deepcopy(self._read[name])

    def place(self, stage: str, seed: int) -> str:
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
    """Read an experiment.

    Args:
        path: File with the attributes of :class:`Experiment` as variables.

    Raises:
        UserError: If it is not there, or names an arm or a stage that is not.
    """
    if not path.is_file():
        known = ', '.join(sorted(p.stem for p in path.parent.glob('*.py'))) or 'none'
        raise UserError(f'experiment {path} is not there', f'Known: {known}.')
    cfg = Config.fromfile(path).to_dict()
    names = Experiment.__dataclass_fields__.keys() - {'name', 'folder'}
    values = {name: cfg[name] for name in names if name in cfg}
    missing = [name for name in ('claim', 'stages', 'arms') if name not in values]
    if missing:
        raise UserError(f'{path} lacks {missing[0]}', 'See docs/reproduce.md.')
    values = moved(use_data(values, path.parent), values.get('folders', {}))
    experiment = Experiment(name=path.stem, folder=path.parent, **values)
    _check_names(experiment, path)
    return experiment


def _check_names(experiment: Experiment, path: Path) -> None:
    arms = {arm for pair in experiment.comparisons for arm in pair}
    _check_known(arms | {*experiment.drift}, {*experiment.arms}, 'arm', path)
    used = {name for stages in experiment.arms.values() for name in stages}
    used |= {name for pair in experiment.drift.values() for name in pair}
    _check_known(used | {*experiment.shared}, {*experiment.stages}, 'stage', path)


def _check_known(used: set[str], known: set[str], kind: str, path: Path) -> None:
    for name in sorted(used - known):
        raise UserError(f'{path} names {kind} {name!r}', f'Known: {sorted(known)}.')
