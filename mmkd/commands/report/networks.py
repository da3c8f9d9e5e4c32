"""Which networks the runs of a page left, and what is needed to look into them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from mmengine.config import Config

from mmkd.commands.report.configs import TrustedPaths, executed
from mmkd.commands.report.page import Notes, attempt
from mmkd.commands.report.runs import Run
from mmkd.engine.options import default_work_dir
from mmkd.errors import UserError
from mmkd.evaluation.lists import read_with_data, use_data
from mmkd.evaluation.model import RANDOM
from mmkd.evaluation.presets import PRESETS, Preset
from mmkd.last_checkpoint import latest_checkpoint

Kind = Literal['untrained', 'pre-trained', 'fine-tuned']
_ORDER: tuple[Kind, ...] = ('untrained', 'pre-trained', 'fine-tuned')


@dataclass(frozen=True)
class Network:
    """One set of weights, and how to get features from it."""

    title: str  # what the page calls it
    kind: Kind  # what was done to it
    cfg: Config  # a fine-tuning config: network, lists and test clips
    checkpoint: str | None  # None for random weights
    work_dir: Path  # where its features go
    weights: str | None = None  # fingerprint of its backbone, where a report names it
    preset: Preset = PRESETS['ours']  # protocol of its features
    seed: int = 0  # of random weights


@dataclass(frozen=True)
class Search:
    """Where networks are looked for.

    Attributes:
        runs: Runs of the page.
        trusted: Which configs may be executed.
        config: A fine-tuning config for pre-trained networks that no report is of.
        data: Another data set than that of the configs, see ``tools/evaluate.py``.
    """

    runs: Sequence[Run]
    trusted: TrustedPaths
    config: str | None = None
    data: str | None = None

    def executed_configs(self) -> list[str]:
        """Return the configs that :meth:`networks` executes."""
        named = [self.config] if self.config else []
        for run in self.runs:
            configs = [str(c['config']) for c in run.evaluations if c.get('config')]
            named += [config for config in configs if self.trusted.holds(config)]
            named += [str(run.config)] if run.config else []
        return list(dict.fromkeys(named))

    def networks(self) -> tuple[list[Network], Notes]:
        """Return networks, from untrained to fine-tuned, and why others are missing.

        An untrained one is put in front where no report is of one.

        Raises:
            UserError: If what the user named cannot be read.
        """
        if self.config:
            self._read(self.config, None)
        elif self.data:
            use_data(Config({'model': {'cls_head': {}}}), self.data)
        notes = Notes()
        found: dict[Any, Network] = {}
        for run in self.runs:
            for network in attempt(run.name, partial(self._of_run, run), notes) or ():
                found.setdefault(_identity(network), network)
        networks = sorted(found.values(), key=lambda n: _ORDER.index(n.kind))
        if networks and networks[0].kind != 'untrained':
            first = replace(networks[0], title='untrained', kind='untrained', seed=0)
            networks.insert(0, replace(first, checkpoint=None, weights=None))
        return networks, notes

    def _of_run(self, run: Run) -> list[Network]:
        found = [self._of_evaluation(content) for content in run.evaluations]
        cfg = executed(run.config)
        if cfg is None or not cfg.get('model'):
            return found
        cfg.model = cfg.model.get('student') or cfg.model
        kind: Kind = 'fine-tuned'
        if 'cls_head' in cfg.model and cfg.get('test_dataloader'):
            checkpoint = _checkpoint(run, cfg)
            if checkpoint and self.data:
                use_data(cfg, self.data)
        elif 'tasks' in cfg.model and run.is_training and self.config:
            kind, checkpoint = 'pre-trained', latest_checkpoint(str(run.folder))
            cfg = self._read(self.config, None)
        else:
            return found
        if checkpoint is not None:
            title = _title_of(checkpoint)
            found.append(Network(title, kind, cfg, checkpoint, run.folder))
        return found

    def _of_evaluation(self, content: dict[str, Any]) -> Network:
        config, checkpoint = content['config'], content['checkpoint']
        if not config:
            raise UserError('its report does not name its config')
        self.trusted.check(config)
        random = checkpoint == RANDOM
        return Network(
            title='untrained' if random else _title_of(checkpoint),
            kind='untrained' if random else 'pre-trained',
            cfg=self._read(config, content['results'][0]['split']),
            checkpoint=None if random else self._moved(checkpoint),
            work_dir=evaluation_dir(config),
            weights=content['weights'],
            preset=PRESETS.get(content['preset']['name'], PRESETS['ours']),
            seed=int(content['seed']),
        )

    def _read(self, config: str, split: int | None) -> Config:
        cfg = read_with_data(config, split, self.data)
        for key in ('model', 'train_dataloader', 'test_dataloader'):
            if not cfg.get(key):
                raise UserError(
                    f'{config} has no {key}', 'Use one of configs/finetune.'
                )
        return cfg

    def _moved(self, checkpoint: str) -> str:
        """Return the path of a checkpoint, also if its run was moved."""
        path = Path(checkpoint)
        if path.is_file():
            return checkpoint
        folders = [r.folder for r in self.runs if r.folder.name == path.parent.name]
        there = (folder / path.name for folder in folders)
        return str(next((path for path in there if path.is_file()), checkpoint))


def _identity(network: Network) -> tuple[Any, ...]:
    file = network.checkpoint and str(Path(network.checkpoint).resolve())
    return file, network.kind == 'fine-tuned', network.seed if file is None else 0


def _checkpoint(run: Run, cfg: Config) -> str | None:
    """Return the checkpoint that a training left or a test read."""
    if run.is_training:
        return latest_checkpoint(str(run.folder))
    named = cfg.get('load_from')
    return named if named and Path(named).is_file() else None


def evaluation_dir(config: str) -> Path:
    """Return the folder where ``tools/evaluate.py`` keeps features by default."""
    folder = default_work_dir(config)
    return Path(folder.replace('work_dirs', 'work_dirs/evaluation', 1))


def _title_of(checkpoint: str) -> str:
    """Return a short name of a checkpoint: its folder and epoch."""
    path = Path(checkpoint)
    return f'{path.parent.name}, {path.stem.replace("_", " ")}'
