"""Which networks the runs of a page left, and what is needed to look into them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from mmengine.config import Config

from mmkd.engine.command_line import read_config
from mmkd.engine.options import default_work_dir
from mmkd.errors import UserError
from mmkd.evaluation.lists import use_data
from mmkd.evaluation.model import RANDOM
from mmkd.evaluation.presets import PRESETS, Preset
from mmkd.last_checkpoint import latest_checkpoint
from mmkd.visualization.report.attempt import Notes, attempt
from mmkd.visualization.report.results import read_config as read_kept
from mmkd.visualization.report.runs import Run

Kind = Literal['untrained', 'pre-trained', 'fine-tuned']
_ORDER: dict[Kind, int] = {'untrained': 0, 'pre-trained': 1, 'fine-tuned': 2}


@dataclass(frozen=True)
class Network:
    """One set of weights, and how to get features from it.

    Attributes:
        title: What the page calls it.
        kind: What was done to it.
        cfg: A fine-tuning config: network, lists and test clips.
        checkpoint: Its file; None for random weights.
        weights: Fingerprint of its backbone, where a report names it.
        preset: Protocol of its features.
        seed: Of random weights.
        work_dir: Where its features go.
    """

    title: str
    kind: Kind
    cfg: Config
    checkpoint: str | None
    weights: str | None
    preset: Preset
    seed: int
    work_dir: Path


@dataclass(frozen=True)
class Wish:
    """What the user says about networks.

    Attributes:
        config: A fine-tuning config for pre-trained networks that no report is of.
        data: Another data set than that of the configs, see ``tools/evaluate.py``.
    """

    config: str | None = None
    data: str | None = None


def find_networks(runs: Sequence[Run], wish: Wish) -> tuple[list[Network], Notes]:
    """Return the networks, from untrained to fine-tuned, and why others are missing.

    An untrained one is put in front where no report is of one.

    Args:
        runs: Runs of the page.
        wish: What the user says.

    Raises:
        UserError: If the wish cannot be fulfilled.
    """
    _check(wish)
    notes = Notes()
    found: dict[Any, Network] = {}
    for run in runs:
        make = partial(_networks, run, runs, wish)
        for network in attempt(run.name, make, notes) or ():
            found.setdefault(_identity(network), network)
    networks = sorted(found.values(), key=lambda n: _ORDER[n.kind])
    if networks and networks[0].kind != 'untrained':
        first = networks[0]
        beside = {'title': 'untrained', 'kind': 'untrained', 'checkpoint': None}
        before = {**first.__dict__, **beside, 'weights': None, 'seed': 0}
        networks.insert(0, Network(**before))
    return networks, notes


def _identity(network: Network) -> tuple[Any, ...]:
    file = network.checkpoint and str(Path(network.checkpoint).resolve())
    return file, network.kind == 'fine-tuned', network.seed if file is None else 0


def _check(wish: Wish) -> None:
    """Find out before anything is read whether a wish can be fulfilled."""
    if wish.config:
        _read(wish.config, None, wish)
    elif wish.data:
        use_data(Config({'model': {'cls_head': {}}}), wish.data)


def _networks(run: Run, runs: Sequence[Run], wish: Wish) -> list[Network]:
    evaluations = [c for c in run.reports.values() if 'results' in c]
    found = [_of_evaluation(runs, content, wish) for content in evaluations]
    cfg = read_kept(run.config)
    if cfg is None or not cfg.get('model'):
        return found
    student = cfg.model.get('student')
    if student is not None:
        cfg.model = student
    if 'cls_head' in cfg.model and cfg.get('test_dataloader'):
        checkpoint = _checkpoint(run, cfg)
        if checkpoint is not None:
            if wish.data:
                use_data(cfg, wish.data)
            found.append(_network(run, cfg, checkpoint, 'fine-tuned'))
    elif 'tasks' in cfg.model and run.is_training and wish.config:
        checkpoint = latest_checkpoint(str(run.folder))
        if checkpoint is not None:
            asked = _read(wish.config, None, wish)
            found.append(_network(run, asked, checkpoint, 'pre-trained'))
    return found


def _checkpoint(run: Run, cfg: Config) -> str | None:
    """Return the checkpoint that a training left or a test read."""
    if run.is_training:
        return latest_checkpoint(str(run.folder))
    named = cfg.get('load_from')
    return named if named and Path(named).is_file() else None


def _network(run: Run, cfg: Config, checkpoint: str, kind: Kind) -> Network:
    return Network(
        title=title_of(checkpoint),
        kind=kind,
        cfg=cfg,
        checkpoint=checkpoint,
        weights=None,
        preset=PRESETS['ours'],
        seed=0,
        work_dir=run.folder,
    )


def _of_evaluation(runs: Sequence[Run], content: dict[str, Any], wish: Wish) -> Network:
    config, checkpoint = content['config'], content['checkpoint']
    if not config:
        raise UserError('its report does not name its config')
    random = checkpoint == RANDOM
    preset = PRESETS.get(content['preset']['name'], PRESETS['ours'])
    return Network(
        title='untrained' if random else title_of(checkpoint),
        kind='untrained' if random else 'pre-trained',
        cfg=_read(config, content['results'][0]['split'], wish),
        checkpoint=None if random else _moved(checkpoint, runs),
        weights=content['weights'],
        preset=preset,
        seed=int(content['seed']),
        work_dir=evaluation_dir(config),
    )


def _read(config: str, split: int | None, wish: Wish) -> Config:
    cfg = read_config(config, split)
    if wish.data:
        use_data(cfg, wish.data)
    for key in ('model', 'train_dataloader', 'test_dataloader'):
        if not cfg.get(key):
            raise UserError(f'{config} has no {key}', 'Use one of configs/finetune.')
    return cfg


def evaluation_dir(config: str) -> Path:
    """Return the folder where ``tools/evaluate.py`` keeps features by default."""
    return Path(
        default_work_dir(config).replace('work_dirs', 'work_dirs/evaluation', 1)
    )


def _moved(checkpoint: str, runs: Sequence[Run]) -> str:
    """Return the place of a checkpoint, also if its run was moved."""
    path = Path(checkpoint)
    if path.is_file():
        return checkpoint
    for run in runs:
        if run.folder.name == path.parent.name and (run.folder / path.name).is_file():
            return str(run.folder / path.name)
    return checkpoint


def title_of(checkpoint: str) -> str:
    """Return a short name of a checkpoint: its folder and epoch."""
    path = Path(checkpoint)
    return f'{path.parent.name}, {path.stem.replace("_", " ")}'
