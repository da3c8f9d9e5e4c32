"""How well a pretext task does on videos that pre-training does not see."""

import copy
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmkd.engine.unwrap import unwrap
from mmkd.errors import UserError
from mmkd.models import Pretrainer
from mmkd.registry import HOOKS


@HOOKS.register_module()
class HeldOutPretextHook(Hook):
    """Measure the tasks on a held-out list after every few epochs.

    The videos pass the training pipeline, with the same draws each time, so that two
    epochs, and two networks, are compared on the same clips. The network is in eval
    mode; memories and teachers do not change, and neither do the random numbers of the
    training. Source: ours.

    Args:
        ann_file: List of videos.
        interval: Epochs between two measurements. Defaults to 1.
        rounds: Passes over the list, each with draws of its own. Defaults to 1.
        tasks: Names of the tasks to report; a memory bank, for one, holds no row of a
            held-out video. Defaults to None: all.
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
        self.ann_file = ann_file
        self.tasks = tasks
        self.interval = interval
        self.rounds = rounds
        self.seed = seed
        self._loader: DataLoader | None = None

    def before_train(self, runner: Runner) -> None:
        """Build the loader.

        Raises:
            UserError: If the model is not a ``Pretrainer``, or distils one.
        """
        student_of(runner)
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
        with same_draws(self.seed):
            figures = self._measure(student_of(runner))
        epoch = runner.epoch + 1
        text = ', '.join(f'{name} {value:.4f}' for name, value in figures.items())
        runner.logger.info(f'held out, epoch {epoch}: {text}')
        scalars = {f'held_out/{name}': value for name, value in figures.items()}
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
        all_reduce(totals)
        means = totals[:-1] / totals[-1]
        return dict(zip(sums, means.tolist(), strict=True))


def student_of(runner: Runner) -> Pretrainer:
    """Return the Pretrainer that is trained, also from within a Distiller.

    Raises:
        UserError: If there is none.
    """
    model = unwrap(runner.model)
    model = getattr(model, 'student', model)
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
    plain = {'ann_file', 'data_prefix', 'pipeline', 'delimiter', 'start_index'}
    kept = {key: value for key, value in dataset.items() if key in plain}
    return {**kept, 'type': 'VideoDataset', 'ann_file': ann_file}


@contextmanager
def same_draws(seed: int) -> Iterator[None]:
    """Seed Python's, NumPy's and torch's generators, and restore them afterwards."""
    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])
