"""Evaluate a backbone by several protocols with one command."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmkd.evaluation.feature_store import FeatureStore, Tensors
from mmkd.evaluation.feature_tables import SCORES, make_table
from mmkd.evaluation.fine_tune import FineTuning, fine_tune
from mmkd.evaluation.lists import describe_list, feature_configs
from mmkd.evaluation.model import load_model, load_whole_model, settled
from mmkd.evaluation.presets import PRESETS, Preset
from mmkd.evaluation.protocols import FROZEN, PROTOCOLS, Tables
from mmkd.evaluation.report import SplitResult
from mmkd.models.input_adoption import Pixels
from mmkd.models.teacher import state_hash


@dataclass(frozen=True)
class Evaluation:
    """Settings of an evaluation.

    Attributes:
        checkpoint: File with ``backbone.*`` tensors; None for untrained weights.
        protocols: Names in :data:`~mmkd.evaluation.protocols.PROTOCOLS`.
        work_dir: Folder of the tables of features and of the fine-tuning.
        preset: What the protocols lay down.
        ks: Numbers of neighbours of kNN.
        seed: Of untrained weights and of the fine-tuning.
        launcher: How the processes were started.
        pixels: What the network is fed, see :func:`~mmkd.evaluation.model.load_model`.
        data: Another data set than the config's; for the report.
        cfg_options: Settings that override the config's, ``KEY=VALUE`` as they were
            given; for the report.
    """

    checkpoint: str | None
    protocols: Sequence[str]
    work_dir: Path
    preset: Preset = PRESETS['ours']
    ks: Sequence[int] = (20,)
    seed: int = 0
    launcher: str = 'none'
    pixels: Pixels | None = None
    data: str | None = None
    cfg_options: Sequence[str] = ()


class SplitEvaluation:
    """Evaluation of one split: first on all processes, then on one.

    Args:
        cfg: A fine-tuning config: its network, its lists and its test pipeline.
        split: Its number; None where the data set has none.
        settings: Settings of the evaluation.

    Raises:
        UserError: If the checkpoint does not fit the config, or the config the preset.
    """

    def __init__(self, cfg: Config, split: int | None, settings: Evaluation) -> None:
        init_default_scope(cfg.get('default_scope', 'mmaction'))
        settings.preset.check(cfg, 'finetune' in settings.protocols)
        self.split, self.settings = split, settings
        self.lists = feature_configs(cfg, settings.preset.pipeline)
        self.model = load_model(
            cfg, settings.checkpoint, settings.seed, settings.pixels
        )
        self.cfg = settled(cfg, self.model, settings.pixels)
        self.weights = state_hash(self.model.backbone.state_dict())
        self.stores: dict[str, FeatureStore] = {}

    def prepare(self) -> None:
        """Extract features and fine-tune; go on from what is there already."""
        if set(self.settings.protocols) & set(FROZEN):
            for part in ('train', 'test'):
                self.features(part)
        if 'finetune' in self.settings.protocols:
            self._fine_tune()

    def features(self, part: str) -> Tensors:
        """Extract the features of a list, or take those that are there.

        Args:
            part: ``'train'`` or ``'test'``.

        Returns:
            ``label`` ``(V,)`` and a table ``(V, C)`` for each form of pooling.
        """
        forms, folder = self.settings.preset.forms, self.settings.work_dir
        loader, label = self.lists[part], f'features of the {part} list'
        store = make_table(
            self.cfg, self.model, self.weights, loader, forms, folder, label
        )
        self.stores[part] = store
        return store.read() or {}

    def measure(self) -> SplitResult:
        """Return what the protocols make of it; for the first process."""
        found = {name: store.read() or {} for name, store in self.stores.items()}
        tables = Tables(
            train=found.get('train', {}),
            test=found.get('test', {}),
            scores=found.get('scores', {}),
            num_classes=self.cfg.model.cls_head.num_classes,
            pooling=self.settings.preset.pooling,
            ks=self.settings.ks,
        )
        outcomes = [
            o for name in self.settings.protocols for o in PROTOCOLS[name](tables)
        ]
        lists = {k: describe_list(v['dataset']) for k, v in self.lists.items()}
        return SplitResult(self.split, lists['train'], lists['test'], outcomes)

    def _fine_tune(self) -> None:
        settings, split = self.settings, self.split or 0
        name = f'{settings.preset.name}_split{split}_{self.weights}_seed{settings.seed}'
        folder = settings.work_dir / 'finetune' / name
        run = FineTuning(
            folder, settings.preset.selection, settings.seed, settings.launcher
        )
        path = fine_tune(self.cfg, settings.checkpoint, run, self.weights)
        model = load_whole_model(self.cfg, str(path))
        weights = state_hash(model.state_dict())
        loader, words = self.lists['test'], 'scores of the test list'
        self.stores['scores'] = make_table(
            self.cfg, model, weights, loader, SCORES, settings.work_dir, words
        )


def evaluate(
    cfg: Config, checkpoint: str | None, protocols: Sequence[str], work_dir: Path
) -> dict[str, float]:
    """Evaluate a backbone on one split by our own protocols.

    Args:
        cfg: A fine-tuning config: its lists and its test pipeline are used.
        checkpoint: See :class:`Evaluation`.
        protocols: Names in :data:`~mmkd.evaluation.protocols.PROTOCOLS`.
        work_dir: Folder of the tables of features.

    Returns:
        All metrics by name, in percent.
    """
    split = SplitEvaluation(cfg, None, Evaluation(checkpoint, protocols, work_dir))
    split.prepare()
    return {k: v for o in split.measure().outcomes for k, v in o.metrics.items()}


def common_facts(cfg: Config, weights: str, settings: Evaluation) -> dict[str, Any]:
    """Return what a report says once: config (of the first split), weights, options."""
    return {
        'config': os.path.relpath(cfg.filename) if cfg.filename else None,
        'checkpoint': settings.checkpoint or 'random',
        'weights': weights,
        'network': cfg.model.backbone.to_dict(),
        'preset': settings.preset.as_dict(),
        'seed': settings.seed,
        'options': {
            'protocols': list(settings.protocols),
            'k': list(settings.ks),
            'data': settings.data,
            'cfg_options': list(settings.cfg_options),
            **({'pixels': settings.pixels} if settings.pixels else {}),
        },
    }
