"""The loader: beside MMAction2's own transforms, and beside bare decoding."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from torch.utils.data import DataLoader, Dataset

from mmkd.benchmark.batches import build_dataset, rendered_clips, seed_augmentation
from mmkd.benchmark.figures import Figures, Ratio
from mmkd.benchmark.pipelines import Results, compose, length_until, run_until
from mmkd.benchmark.rounds import interleave
from mmkd.benchmark.stock import StockClips, stock_opening, stock_transforms
from mmkd.errors import UserError
from mmkd.evaluation.lists import innermost

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
    """

    batch_size: int = 8
    workers: int = 2
    samples: int = 32
    rounds: int = 5
    limit: float = 600.0
    rendered: bool = False


class Samples(Dataset):
    """The same videos and draws for every arm.

    Args:
        infos: What the data set knows of each video.
        read: From that to a sample.
    """

    def __init__(self, infos: list[Results], read: Callable[[Results], Any]) -> None:
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
    readers: dict[str, Callable[[Results], Any]] = {OURS: ours}
    stock = _stock(pipeline, ours, infos[0])
    if stock is not None:
        readers[STOCK] = stock
    readers[DECODING] = lambda info: run_until(ours, info, 'imgs')['frame_inds'].size
    figures = Figures(f'loader of {cfg.filename}', _work(plan, example))
    arms = {name: _arm(infos, read, plan) for name, read in readers.items()}
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


def _stock(pipeline: Any, ours: Compose, info: Results) -> StockClips | None:
    sampled = length_until(ours, dict(info), 'frame_inds')
    transforms = stock_transforms(pipeline[sampled:])
    if transforms is None:
        return None
    opening = stock_opening(pipeline[:sampled])
    return StockClips(compose(opening), compose(transforms))


def _arm(
    infos: list[Results], read: Callable[[Results], Any], plan: LoaderPlan
) -> Callable[[], float]:
    loader: DataLoader = DataLoader(
        Samples(infos, read),
        batch_size=plan.batch_size,
        num_workers=plan.workers,
        persistent_workers=plan.workers > 0,
        collate_fn=pseudo_collate,
        worker_init_fn=_one_thread,
    )

    def measure() -> float:
        start = perf_counter()
        for _ in loader:
            pass
        return perf_counter() - start

    return measure


def _one_thread(worker: int) -> None:
    torch.set_num_threads(1)


def _work(plan: LoaderPlan, example: torch.Tensor) -> dict[str, Any]:
    views, _, frames, height, width = example.shape
    return {
        'samples per round': plan.samples,
        'batch': plan.batch_size,
        'workers': plan.workers,
        'views': views,
        'clip': f'{frames} x {height} x {width}',
        'input': 'rendered' if plan.rendered else 'files of the config',
    }
