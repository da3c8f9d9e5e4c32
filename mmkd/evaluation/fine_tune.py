"""Fine-tuning as a protocol: a normal training run, then a test of all videos."""

import copy
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine import dist
from mmengine.config import Config
from mmengine.model import BaseModel

from mmkd.engine.arguments import train_parser
from mmkd.engine.command_line import build_runner
from mmkd.engine.options import merge_train_options
from mmkd.engine.preflight import check_before_run
from mmkd.errors import UserError
from mmkd.evaluation.features import Rows
from mmkd.evaluation.presets import Selection
from mmkd.evaluation.selection import select_epoch
from mmkd.files import write_json, write_text
from mmkd.last_checkpoint import latest_checkpoint


@dataclass(frozen=True)
class FineTuning:
    """How to fine-tune.

    Attributes:
        folder: Work folder of the run.
        selection: Which epoch counts.
        seed: Of the run.
        launcher: How the processes were started.
    """

    folder: Path
    selection: Selection
    seed: int = 0
    launcher: str = 'none'


def fine_tune(cfg: Config, checkpoint: str | None, run: FineTuning, start: str) -> Path:
    """Train what a config describes, from a checkpoint; continue where it stopped.

    The folder holds the config as it is run, so that
    ``tools/train.py <folder>/config.py --resume`` goes on with it as well.

    Args:
        cfg: A fine-tuning config.
        checkpoint: Where it starts. None: from scratch.
        run: How.
        start: Fingerprint of the weights that it starts from.

    Returns:
        The checkpoint of the epoch that counts.

    Raises:
        UserError: If the folder holds a run with other settings.
    """
    cfg = copy.deepcopy(cfg)
    select_epoch(cfg, run.selection)
    cfg.load_from = checkpoint
    facts = {'config': _digest(cfg), 'weights': start, 'seed': run.seed}
    state = run.folder / 'evaluation.json'
    finished = _is_finished(state, facts)
    dist.barrier()
    if not finished:
        config = run.folder / 'config.py'
        if dist.is_main_process():
            write_json(state, {**facts, 'finished': False})
            write_text(config, cfg.pretty_text)
        dist.barrier()
        _train(config, run)
        if dist.is_main_process():
            write_json(state, {**facts, 'finished': True})
    return chosen_checkpoint(run.folder, run.selection)


def _train(config: Path, run: FineTuning) -> None:
    options = ['--work-dir', str(run.folder), '--seed', str(run.seed), '--resume']
    args = train_parser().parse_args(
        [str(config), *options, '--launcher', run.launcher]
    )
    cfg = Config.fromfile(config)
    # Runners of one name share their message hub; the splits must not.
    cfg.experiment_name = f'{run.folder.name}_{_digest(cfg)[:8]}'
    merge_train_options(cfg, args)
    check_before_run(cfg, 'train')
    build_runner(cfg).train()
    dist.barrier()


def chosen_checkpoint(folder: Path, selection: Selection) -> Path:
    """Return the checkpoint of the epoch that counts.

    Args:
        folder: Of the finished run.
        selection: Which epoch it is. The best one so far has the highest number.

    Raises:
        UserError: If it is not there.
    """
    if selection == 'last':
        last = latest_checkpoint(str(folder))
        found = [Path(last)] if last else []
    else:
        found = sorted(folder.glob('best_*.pth'), key=_epoch)
    if not found:
        raise UserError(
            f'{folder} has no checkpoint of the {selection} epoch',
            'Remove the folder and give the same command again.',
        )
    return found[-1]


class ScoreEncoder:
    """Scores of the videos of a batch, as the recognizer's test gives them.

    Args:
        model: A recognizer; put into eval.
    """

    def __init__(self, model: BaseModel) -> None:
        self.model = model.eval()

    @torch.inference_mode()
    def __call__(self, raw: Any) -> list[Rows]:
        """Return ``label`` and ``score``, shape ``(K,)``, for every video."""
        return [
            {
                'label': sample.gt_label.reshape(()).cpu(),
                'score': sample.pred_score.float().cpu(),
            }
            for sample in self.model.test_step(raw)
        ]


def _is_finished(path: Path, facts: dict[str, Any]) -> bool:
    """Return whether a run of the same settings came to its end here."""
    if not path.is_file():
        return False
    found = json.loads(path.read_text(encoding='utf-8'))
    finished = found.pop('finished', False)
    if found != facts:
        raise UserError(
            f'{path.parent} holds a fine-tuning with other settings, weights or seed',
            'Remove that folder, or give another --work-dir.',
        )
    return finished


def _digest(cfg: Config) -> str:
    return hashlib.sha256(cfg.pretty_text.encode()).hexdigest()


def _epoch(path: Path) -> int:
    number = re.search(r'(\d+)\.pth$', path.name)
    return int(number[1]) if number else -1
