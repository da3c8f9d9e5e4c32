"""Evaluate a training on held-out videos: pretext metrics and online kNN."""

import copy
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from mmengine import dist
from mmengine.hooks import Hook
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmkd.datasets.view_steps import SLOTS, has_slots
from mmkd.engine.trained_model import student_of
from mmkd.errors import UserError
from mmkd.models import Pretrainer
from mmkd.models.heads import pool_map
from mmkd.models.memory import gather_rows
from mmkd.models.metrics import class_votes, nearest
from mmkd.registry import HOOKS
from mmkd.seeding import drawing_from


@HOOKS.register_module()
class HeldOutPretextHook(Hook):
    """Evaluate the tasks on a held-out list every few epochs.

    The videos pass the training pipeline, with the same draws each time, so that two
    epochs, and two networks, are compared on the same clips. The network is in eval
    mode; memories and teachers do not change, and neither do the random numbers of the
    training.

    Args:
        ann_file: List of videos.
        interval: Epochs between two measurements. Defaults to 1.
        rounds: Passes over the list, each with draws of its own. Defaults to 1.
        tasks: Names of the tasks to report; a memory bank, for one, holds no feature of
            a held-out video. Defaults to None: all.
        seed: Of the draws. Defaults to 0.

    Example:
        >>> custom_hooks = [
        ...     dict(
        ...         type='mmkd.HeldOutPretextHook', ann_file='data/ucf101/test.txt',
        ...         tasks=['vspp'], interval=5, rounds=3,
        ...     )
        ... ]
    """

    def __init__(
        self,
        ann_file: str,
        interval: int = 1,
        rounds: int = 1,
        tasks: Sequence[str] | None = None,
        seed: int = 0,
    ) -> None:
        self.ann_file, self.tasks = ann_file, tasks
        self.interval, self.rounds, self.seed = interval, rounds, seed
        self._loader: DataLoader | None = None

    def before_train(self, runner: Runner) -> None:
        """Build the loader."""
        _pretrainer(runner)
        loader = copy.deepcopy(runner.cfg.train_dataloader)
        loader.dataset = held_out_dataset(loader.dataset, self.ann_file)
        # The draws are those of this process.
        loader.update(num_workers=0, persistent_workers=False, drop_last=False)
        loader.sampler = {'type': 'DefaultSampler', 'shuffle': False}
        self._loader = runner.build_dataloader(loader, seed=self.seed)

    def after_train_epoch(self, runner: Runner) -> None:
        """Measure and log scalars ``held_out/<task>/<name>``."""
        if not self.every_n_epochs(runner, self.interval):
            return
        with drawing_from(self.seed, on_devices=True):
            metrics = self._measure(_pretrainer(runner))
        epoch = runner.epoch + 1
        text = ', '.join(f'{name} {value:.4f}' for name, value in metrics.items())
        runner.logger.info(f'held out, epoch {epoch}: {text}')
        scalars = {f'held_out/{name}': value for name, value in metrics.items()}
        runner.visualizer.add_scalars({**scalars, 'epoch': epoch}, step=epoch)

    @torch.no_grad()
    def _measure(self, model: Pretrainer) -> dict[str, float]:
        """Return the mean over all videos of what every task returns."""
        assert self._loader is not None
        sums: dict[str, float] = defaultdict(float)
        videos = 0
        training = model.training
        model.eval()
        for _ in range(self.rounds):
            for batch in self._loader:
                data: Any = model.data_preprocessor(batch, False)
                size = len(data['data_samples'])
                for name, value in model(**data, mode='loss').items():
                    if self.tasks is None or name.split('/')[0] in self.tasks:
                        sums[name] += float(value) * size
                videos += size
        model.train(training)
        totals = torch.tensor([*sums.values(), videos], dtype=torch.float64)
        dist.all_reduce(totals)
        means = totals[:-1] / totals[-1]
        return dict(zip(sums, means.tolist(), strict=True))


def _pretrainer(runner: Runner) -> Pretrainer:
    model = student_of(runner.model)
    if not isinstance(model, Pretrainer):
        raise UserError(
            f'HeldOutPretextHook measures a Pretrainer, not a {type(model).__name__}',
            'Remove the hook.',
        )
    return model


def held_out_dataset(dataset: Any, ann_file: str) -> Any:
    """Return the config of a training set with another list, each video once."""
    while 'dataset' in dataset:
        dataset = dataset.dataset
    plain = {'ann_file', 'data_prefix', 'pipeline', 'delimiter', 'start_index', *SLOTS}
    kept = {key: value for key, value in dataset.items() if key in plain}
    kind = dataset['type'] if has_slots(dataset) else 'VideoDataset'
    return {**kept, 'type': kind, 'ann_file': ann_file}


_TEMPERATURE = 0.07


@HOOKS.register_module()
class OnlineKNNHook(Hook):
    """Classify labelled videos by weighted kNN every few epochs.

    As Wu et al. (https://arxiv.org/abs/1805.01978), on averaged maps of the
    backbone in eval mode. The labels are only looked at, the training does not change,
    nor do its random numbers. A curve of health, no result: choose no epoch by it and
    report ``tools/evaluate.py``. Source of the idea: SlowFast's ``contrastive_ssl``;
    the form is ours.

    Args:
        gallery: Config of a labelled data set with a test pipeline, for instance of a
            thousand training videos.
        queries: Another one, to be classified. Defaults to None: the gallery itself,
            each video among the others; clips cut from one recording then find each
            other, and the curve stands higher than it should.
        interval: Epochs between two measurements. Defaults to 5.
        k: Neighbours. Defaults to 20.
        num_workers: Loader processes. Defaults to 0: this one decodes.

    Example:
        >>> clip = [dict(type='mmkd.OpenPacked', folder='packed/ut')]
        >>> clip += [dict(type='mmkd.EvenClips'), dict(type='mmkd.DecodeViews')]
        >>> clip += [dict(type='FormatShape', input_format='NCTHW')]
        >>> clip += [dict(type='PackActionInputs')]
        >>> gallery = dict(type='VideoDataset', ann_file='ut/train.txt', pipeline=clip)
        >>> custom_hooks = [dict(type='mmkd.OnlineKNNHook', gallery=gallery, k=10)]
    """

    def __init__(
        self,
        gallery: dict[str, Any],
        queries: dict[str, Any] | None = None,
        interval: int = 5,
        k: int = 20,
        num_workers: int = 0,
    ) -> None:
        self.sets = {'gallery': gallery} | ({'queries': queries} if queries else {})
        self.interval, self.k, self.num_workers = interval, k, num_workers
        self._data: dict[str, Any] = {}

    def before_train(self, runner: Runner) -> None:
        """Read the lists."""
        self._data = {name: DATASETS.build(cfg) for name, cfg in self.sets.items()}
        for name, data in self._data.items():
            labels = [data.get_data_info(i)['label'] for i in range(len(data))]
            if len(labels) < 2 or min(labels) < 0:
                raise UserError(
                    f'OnlineKNNHook: {self.sets[name].get("ann_file")} has '
                    f'{len(labels)} videos, {sum(x < 0 for x in labels)} without label',
                    'Name a list of two videos or more, each with its class.',
                )

    def after_train_epoch(self, runner: Runner) -> None:
        """Measure, and log the scalar ``online_knn/top1`` in percent."""
        if not self.every_n_epochs(runner, self.interval):
            return
        model = student_of(runner.model)
        training = model.training
        model.eval()
        with drawing_from(0, on_devices=True), torch.no_grad():
            tables = {n: self._encode(runner, model, d) for n, d in self._data.items()}
        model.train(training)
        top1, epoch = self._top1(tables), runner.epoch + 1
        runner.logger.info(f'online kNN, epoch {epoch}: top-1 {top1:.2f} %')
        runner.visualizer.add_scalars(
            {'online_knn/top1': top1, 'epoch': epoch}, step=epoch
        )

    def _top1(self, tables: dict[str, tuple[Tensor, Tensor]]) -> float:
        vectors, labels = tables['gallery']
        asked, truth = tables.get('queries', tables['gallery'])
        similar, neighbours = nearest(
            asked, vectors, self.k, leave_one_out='queries' not in tables
        )
        classes = int(torch.cat([labels, truth]).max()) + 1
        votes = class_votes(similar, labels[neighbours], classes, _TEMPERATURE)
        return 100 * (votes.argmax(dim=1) == truth).double().mean().item()

    def _encode(
        self, runner: Runner, model: nn.Module, data: Any
    ) -> tuple[Tensor, Tensor]:
        """Return features and classes of all videos, shared among the processes."""
        world, total = dist.get_world_size(), len(data)
        # Each process takes as many; the few that are taken twice are dropped below.
        rounds = range(dist.get_rank(), -(-total // world) * world, world)
        indices = [index % total for index in rounds]
        options = {'batch_size': 1, 'num_workers': self.num_workers}
        loader = runner.build_dataloader(
            {'dataset': data, 'sampler': indices, **options}, seed=0
        )
        vectors, labels = [], []
        for raw in loader:
            batch = model.data_preprocessor(raw, False)  # type: ignore[operator]
            maps = model.backbone(batch['inputs'][0])  # type: ignore[operator]
            vectors.append(pool_map(maps).mean(dim=0).float().cpu())
            labels.append(batch['data_samples'][0].gt_label.reshape(()).cpu())
        gathered = gather_rows(torch.tensor(indices))
        _, first = torch.unique(gathered, return_inverse=True)
        order = first.new_zeros(total).scatter_(0, first, torch.arange(len(first)))
        table, classes = (gather_rows(torch.stack(x)) for x in (vectors, labels))
        return table[order], classes[order]
