"""The loader: beside MMAction2's own transforms, and beside bare decoding."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from torch.utils.data import DataLoader, Dataset

from mmkd.benchmark.batches import build_dataset, rendered_clips, seed_augmentation
from mmkd.benchmark.figures import Figures, Ratio
from mmkd.benchmark.pipelines import Results, compose, length_until, run_until
from mmkd.benchmark.rounds import CLOCKS, Clock, interleave
from mmkd.benchmark.stock import StockClips, stock_opening, stock_transforms
from mmkd.errors import UserError
from mmkd.evaluation.lists import innermost

Read = Callable[[Results], Any]
OURS, STOCK, DECODING = 'this loader', 'MMAction2', 'decoding alone'


@dataclass(frozen=True)
class LoaderPlan:
    """How a loader is measured.

    Attributes:
        batch_size: Samples of a batch.
        workers: Worker processes; 0 loads in this one.
        samples: Samples of one measurement.
        rounds: Counted rounds.
        limit: Seconds after which no further round begins.
        rendered: Whether to read rendered clips instead of the config's own.
        originals: List and folder of the videos that those of the config were made
            from, in the same order: MMAction2 reads them. None: the config's own.
        clock: Name in :data:`mmkd.benchmark.rounds.CLOCKS`; ``'cpu'`` goes with 0
            workers, since it is that of this process.
    """

    batch_size: int = 8
    workers: int = 2
    samples: int = 32
    rounds: int = 5
    limit: float = 600.0
    rendered: bool = False
    originals: tuple[str, str] | None = None
    clock: str = 'wall'


class Samples(Dataset):
    """The same videos and draws for every arm.

    Args:
        infos: What the data set knows of each video.
        read: From that to a sample.
    """

    def __init__(self, infos: list[Results], read: Read) -> None:
        self.infos, self.read = infos, read

    def __len__(self) -> int:
        return len(self.infos)

    def __getitem__(self, index: int) -> Any:
        seed_augmentation(index)
        return self.read(dict(self.infos[index]))


def measure_loader(cfg: Config, plan: LoaderPlan) -> Figures:
    """Measure the training loader of a config.

    All arms read the same frames of the same files with as many workers. ``MMAction2``
    augments each clip by itself with its own transforms; ``decoding alone`` stops once
    the frames are there, and sends nothing to this process.

    Args:
        cfg: Config.
        plan: How.

    Raises:
        UserError: If there is no training data.
    """
    if plan.rendered:
        with rendered_clips(cfg, plan.samples) as changed:
            return _measure(changed, plan)
    return _measure(cfg, plan)


def _measure(cfg: Config, plan: LoaderPlan) -> Figures:
    infos = _infos(cfg, plan.samples)
    pipeline = innermost(cfg.train_dataloader.dataset).pipeline
    ours = compose(pipeline)
    seed_augmentation(0)
    example = ours(dict(infos[0]))['inputs']
    readers: dict[str, tuple[list[Results], Read]] = {OURS: (infos, ours)}
    stock = _stock(pipeline, ours, infos[0])
    if stock is not None:
        readers[STOCK] = (_originals(cfg, plan, infos), stock)
    readers[DECODING] = (
        infos,
        lambda info: run_until(ours, info, 'imgs')['frame_inds'].size,
    )
    figures = Figures(f'loader of {cfg.filename}', _work(plan, example))
    arms = {name: _arm(*given, plan) for name, given in readers.items()}
    seconds = interleave(arms, plan.rounds, plan.limit)
    for name, values in seconds.items():
        figures.add_times(name, values, len(example) * plan.samples)
    for name in (STOCK, DECODING):
        if name in seconds:
            what = f'speed of {OURS} / of {name}'
            figures.ratios.append(Ratio.between(what, seconds[name], seconds[OURS]))
    if stock is None:
        figures.notes.append(
            'MMAction2 has no counterpart of one of the transforms: not compared.'
        )
    return figures


def _infos(cfg: Config, number: int) -> list[Results]:
    """Return what is known of the first videos, again from the start if too few."""
    dataset = build_dataset(cfg)
    if not len(dataset):
        raise UserError(f'the training list of {cfg.filename} is empty')
    return [dataset.get_data_info(place % len(dataset)) for place in range(number)]


def _originals(cfg: Config, plan: LoaderPlan, infos: list[Results]) -> list[Results]:
    """Return what is known of the videos that MMAction2 reads.

    Raises:
        UserError: If they are not those that the config's videos were made from.
    """
    if plan.originals is None:
        return infos
    changed = Config(cfg.to_dict(), filename=cfg.filename)
    source = innermost(changed.train_dataloader.dataset)
    source.pop('data_root', None)
    source.ann_file = plan.originals[0]
    source.data_prefix = {'video': plan.originals[1]}
    found = _infos(changed, plan.samples)
    for mine, other in zip(infos, found, strict=True):
        names = [Path(info['filename']).stem for info in (mine, other)]
        if names[0] != names[1]:
            raise UserError(
                f'{plan.originals[0]} has {names[1]} where the list of the config has '
                f'{names[0]}',
                'Give the list that it was made from, with --originals.',
            )
    return found


def _stock(pipeline: Any, ours: Compose, info: Results) -> StockClips | None:
    sampled = length_until(ours, dict(info), 'frame_inds')
    transforms = stock_transforms(pipeline[sampled:])
    if transforms is None:
        return None
    opening = stock_opening(pipeline[:sampled])
    return StockClips(compose(opening), compose(transforms))


def _arm(infos: list[Results], read: Read, plan: LoaderPlan) -> Callable[[], float]:
    loader: DataLoader = DataLoader(
        Samples(infos, read),
        batch_size=plan.batch_size,
        num_workers=plan.workers,
        persistent_workers=plan.workers > 0,
        collate_fn=pseudo_collate,
        worker_init_fn=_one_thread,
    )

    clock = CLOCKS[plan.clock]

    def measure() -> float:
        start = clock()
        for _ in loader:
            pass
        return clock() - start

    return measure if plan.workers else _in_one_thread(measure)


def _one_thread(worker: int) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)  # as in a training: MMAction2's env_cfg


def _in_one_thread(measure: Clock) -> Clock:
    """Return a measurement that has no more threads here than in a worker."""

    def alone() -> float:
        threads = torch.get_num_threads(), cv2.getNumThreads()
        _one_thread(0)
        try:
            return measure()
        finally:
            torch.set_num_threads(threads[0])
            cv2.setNumThreads(threads[1])

    return alone


def _work(plan: LoaderPlan, example: torch.Tensor) -> dict[str, Any]:
    views, _, frames, height, width = example.shape
    return {
        'samples per round': plan.samples,
        'batch': plan.batch_size,
        'workers': plan.workers,
        'views': views,
        'clip': f'{frames} x {height} x {width}',
        'input': _input(plan),
        'clock': plan.clock,
    }


def _input(plan: LoaderPlan) -> str:
    if plan.rendered:
        return 'rendered'
    if plan.originals is None:
        return 'files of the config'
    return 'files of the config, for MMAction2 those they were made from'
