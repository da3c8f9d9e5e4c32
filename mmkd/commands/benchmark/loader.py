"""The loader: beside MMAction2's own transforms, and beside bare decoding."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader, Dataset

from mmkd.commands.benchmark.batches import (
    build_dataset,
    clip_facts,
    rendered_clips,
    seed_augmentation,
    with_list,
)
from mmkd.commands.benchmark.measurements import CLOCKS, Clock, Measurements, Plan
from mmkd.datasets.view_steps import pipeline_steps
from mmkd.errors import UserError
from mmkd.evaluation.lists import innermost

Results = dict[str, Any]
Pipeline = Sequence[Mapping[str, Any]]
_SAME = {'mmkd.DecodeViews': 'DecordDecode', 'mmkd.PackViews': 'PackActionInputs'}
Read = Callable[[Results], Any]
OURS, STOCK, DECODING = 'this loader', 'MMAction2', 'decoding alone'


class _Samples(Dataset):
    """The same videos and draws for every arm."""

    def __init__(self, infos: list[Results], read: Read) -> None:
        self.infos, self.read = infos, read

    def __len__(self) -> int:
        return len(self.infos)

    def __getitem__(self, index: int) -> Any:
        seed_augmentation(index)
        return self.read(dict(self.infos[index]))


def measure_loader(cfg: Config, plan: Plan) -> Measurements:
    """Measure the training loader of a config.

    All arms read the same frames of the same files with as many workers. ``MMAction2``
    augments each clip by itself with its own transforms; ``decoding alone`` stops once
    the frames are there, and sends nothing to this process.

    Raises:
        UserError: If there is no training data.
    """
    rendered = rendered_clips(cfg, plan.samples) if plan.rendered else nullcontext(cfg)
    with rendered as source:
        return _measure(source, plan)


def _measure(cfg: Config, plan: Plan) -> Measurements:
    infos = _infos(cfg, plan.samples)
    pipeline = pipeline_steps(innermost(cfg.train_dataloader.dataset))
    ours = compose(pipeline)
    seed_augmentation(0)
    example = ours(dict(infos[0]))['inputs']
    _, sampled = run_until(ours, dict(infos[0]), 'frame_inds')
    stock = stock_transforms(pipeline[sampled:])
    measured = Measurements(f'loader of {cfg.filename}', _work(plan, example))
    arms = {OURS: _arm(infos, ours, plan)}
    if stock is None:
        measured.notes.append(
            'MMAction2 has no counterpart of one of the transforms: not compared.'
        )
    else:
        opening = compose(stock_opening(pipeline[:sampled]))
        read = StockClips(opening, compose(stock))
        arms[STOCK] = _arm(_originals(cfg, plan, infos), read, plan)
    arms[DECODING] = _arm(
        infos, lambda info: run_until(ours, info, 'imgs')[0]['frame_inds'].size, plan
    )
    seconds = plan.interleave(arms)
    for name, values in seconds.items():
        measured.add_times(name, values, len(example) * plan.samples)
    for name in (STOCK, DECODING):
        if name in seconds:
            what = f'speed of {OURS} / of {name}'
            measured.add_ratio(what, seconds[name], seconds[OURS])
    return measured


def _infos(cfg: Config, number: int) -> list[Results]:
    """Return what is known of the first videos, again from the start if too few."""
    dataset = build_dataset(cfg)
    if not len(dataset):
        raise UserError(f'the training list of {cfg.filename} is empty')
    return [dataset.get_data_info(index % len(dataset)) for index in range(number)]


def _originals(cfg: Config, plan: Plan, infos: list[Results]) -> list[Results]:
    """Return what is known of the videos that MMAction2 reads.

    Raises:
        UserError: If they are not those that the config's videos were made from.
    """
    if plan.originals is None:
        return infos
    found = _infos(with_list(cfg, *plan.originals), plan.samples)
    for ours, other in zip(infos, found, strict=True):
        names = [Path(info['filename']).stem for info in (ours, other)]
        if names[0] != names[1]:
            raise UserError(
                f'{plan.originals[0]} has {names[1]} where the list of the config has '
                f'{names[0]}',
                'Give the list that it was made from, with --originals.',
            )
    return found


def _arm(infos: list[Results], read: Read, plan: Plan) -> Clock:
    loader: DataLoader = DataLoader(
        _Samples(infos, read),
        batch_size=plan.batch_size,
        num_workers=plan.workers,
        persistent_workers=plan.workers > 0,
        collate_fn=pseudo_collate,
        worker_init_fn=_set_one_thread,
    )
    clock = CLOCKS[plan.clock]

    def measure() -> float:
        with nullcontext() if plan.workers else _one_thread():
            start = clock()
            for _ in loader:
                pass
            return clock() - start

    return measure


def _set_one_thread(worker: int) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)  # as in a training: MMAction2's env_cfg


@contextmanager
def _one_thread() -> Iterator[None]:
    """Have no more threads here than in a worker."""
    threads = torch.get_num_threads(), cv2.getNumThreads()
    _set_one_thread(0)
    try:
        yield
    finally:
        torch.set_num_threads(threads[0])
        cv2.setNumThreads(threads[1])


def _work(plan: Plan, example: torch.Tensor) -> dict[str, Any]:
    files = 'files of the config'
    if plan.originals is not None:
        files = 'files of the config, for MMAction2 those they were made from'
    return {
        'samples per round': plan.samples,
        'batch': plan.batch_size,
        'workers': plan.workers,
        **clip_facts(example),
        'input': 'rendered' if plan.rendered else files,
        'clock': plan.clock,
    }


def compose(steps: Any) -> Compose:
    """Build transforms from their configs."""
    with DefaultScope.overwrite_default_scope('mmaction'):
        return Compose(list(steps))


def run_until(pipeline: Compose, results: Results, key: str) -> tuple[Results, int]:
    """Apply transforms until one has written ``key``; tell how many it took.

    With ``'imgs'`` the frames are decoded and nothing else is done.
    """
    for number, transform in enumerate(pipeline.transforms, start=1):
        results = transform(results)
        if key in results:
            return results, number
    return results, len(pipeline.transforms)


def stock_opening(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Return configs up to the sampler, with MMAction2's way to open a video."""
    decord = {'type': 'DecordInit', 'num_threads': 1}
    return [decord if t['type'] == 'mmkd.OpenVideo' else dict(t) for t in pipeline]


def stock_transforms(pipeline: Pipeline) -> list[dict[str, Any]] | None:
    """Return MMAction2's counterpart of a pipeline from decoding on, for one clip.

    None if one of our transforms has no counterpart there.
    """
    result: list[dict[str, Any]] = []
    for step in pipeline:
        found = _stock(step)
        if found is None:
            return None
        result += found
    return result


def _stock(step: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    kind = str(step['type'])
    if kind == 'mmkd.PerView' and set(step) == {'type', 'transforms'}:
        return stock_transforms(step['transforms'])
    if kind == 'mmkd.ColorJitter' and step.get('p', 1.0) == 1.0:
        return [_stock_jitter(step)]
    if kind in _SAME:
        return [{'type': _SAME[kind]}]
    return None if kind.startswith('mmkd.') else [dict(step)]


def _stock_jitter(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return MMAction2's jitter, whose negative hues fail with NumPy 2."""
    kept = ('brightness', 'contrast', 'saturation')
    jitter = {'type': 'ColorJitter', **{k: step[k] for k in kept if k in step}}
    hue = step.get('hue', 0.1)
    largest = hue if isinstance(hue, (int, float)) else max(map(abs, hue))
    return {**jitter, 'hue': (0.0, float(largest))}


class StockClips:
    """Read each clip of a sample by itself, as a stock pipeline of one clip does.

    The sampler, the last of ``opening``, draws first, so that the frames are those of
    our loader; then each clip is opened, decoded and augmented alone by MMAction2's
    ``transforms``: it has no other way to two clips of one video that differ in crop,
    flip and jitter.
    """

    def __init__(self, opening: Compose, transforms: Compose) -> None:
        self.opening = opening
        self.transforms = transforms

    def __call__(self, info: Results) -> Results:
        """Return ``inputs`` of shape ``(M, 3, T, H, W)``."""
        sampled, _ = run_until(self.opening, dict(info), 'frame_inds')
        clips = np.reshape(sampled['frame_inds'], (sampled['num_clips'], -1))
        packed = [self._clip(info, sampled, frames) for frames in clips]
        inputs = torch.cat([one['inputs'] for one in packed])
        return {'inputs': inputs, 'data_samples': packed[0]['data_samples']}

    def _clip(self, info: Results, sampled: Results, frames: np.ndarray) -> Results:
        reader, sampled['video_reader'] = sampled.get('video_reader'), None
        if reader is None:  # a stock data set opens the video for each of its clips
            reader = self.opening.transforms[0](dict(info))['video_reader']
        state = {
            'video_reader': reader,
            'frame_inds': frames,
            'num_clips': 1,
            'clip_len': len(frames),
        }
        return self.transforms({**sampled, **state})
