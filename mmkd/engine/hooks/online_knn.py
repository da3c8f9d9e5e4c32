"""A health curve of pre-training: kNN on a small labelled list."""

from typing import Any

import torch
from mmengine import dist
from mmengine.hooks import Hook
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from torch import Tensor, nn

from mmkd.engine.hooks.held_out_pretext import same_draws
from mmkd.engine.unwrap import unwrap
from mmkd.errors import UserError
from mmkd.models.heads import pool_map
from mmkd.models.measures import class_votes, nearest
from mmkd.models.memory import gather_rows
from mmkd.registry import HOOKS

_TEMPERATURE = 0.07


@HOOKS.register_module()
class OnlineKNNHook(Hook):
    """Classify a few labelled videos by their neighbours after every few epochs.

    Weighted kNN (Wu et al., https://arxiv.org/abs/1805.01978) on averaged maps of the
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
        """Read the lists.

        Raises:
            UserError: If a list has a video without label, or fewer than two videos.
        """
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
        model = unwrap(runner.model)
        model = getattr(model, 'student', model)
        training = model.training
        model.eval()
        with same_draws(0), torch.no_grad():
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
        similar, places = nearest(
            asked, vectors, self.k, leave_one_out='queries' not in tables
        )
        classes = int(torch.cat([labels, truth]).max()) + 1
        votes = class_votes(similar, labels[places], classes, _TEMPERATURE)
        return 100 * (votes.argmax(dim=1) == truth).double().mean().item()

    def _encode(
        self, runner: Runner, model: nn.Module, data: Any
    ) -> tuple[Tensor, Tensor]:
        """Return features and classes of all videos, shared among the processes."""
        world, total = dist.get_world_size(), len(data)
        # Each process takes as many; the few that are taken twice are dropped below.
        rounds = range(dist.get_rank(), -(-total // world) * world, world)
        mine = [place % total for place in rounds]
        loader = runner.build_dataloader(
            {
                'dataset': data,
                'sampler': mine,
                'batch_size': 1,
                'num_workers': self.num_workers,
            },
            seed=0,
        )
        vectors, labels = [], []
        for raw in loader:
            batch = model.data_preprocessor(raw, False)  # type: ignore[operator]
            maps = model.backbone(batch['inputs'][0])  # type: ignore[operator]
            vectors.append(pool_map(maps).mean(dim=0).float().cpu())
            labels.append(batch['data_samples'][0].gt_label.reshape(()).cpu())
        places = gather_rows(torch.tensor(mine))
        _, first = torch.unique(places, return_inverse=True)
        order = first.new_zeros(total).scatter_(0, first, torch.arange(len(first)))
        table, classes = (gather_rows(torch.stack(x)) for x in (vectors, labels))
        return table[order], classes[order]
