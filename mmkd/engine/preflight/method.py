"""Check whether a method can learn with the numbers of its config."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from mmengine.config import Config

from mmkd.engine.config_types import walk
from mmkd.registry import MODELS

# Where a method cannot work, or hardly.
MOST_OF_THE_START = 0.05
# The published run of auxSKD has 0.47 of its videos in the queue.
LARGEST_QUEUE = 0.5
LARGEST_OWN_CHANCE = 0.2


@dataclass(frozen=True)
class RunLength:
    """Length of a training in videos, steps and updates.

    Attributes:
        videos: Different videos of the list.
        samples: Samples of an epoch, repeated ones counted.
        batch: Samples of a step on one process.
        processes: Processes.
        epoch: Steps of an epoch, on each process.
        steps: Steps of the whole training.
        accumulation: Steps that make one update of the weights.
        by_epoch: Whether the training goes by epochs.
    """

    videos: int
    samples: int
    batch: int
    processes: int
    epoch: int
    steps: int
    accumulation: int = 1
    by_epoch: bool = True

    @classmethod
    def of(
        cls, cfg: Config, samples: int, videos: int, processes: int = 1
    ) -> 'RunLength':
        """Count the steps of a config."""
        loader = cfg.train_dataloader
        batch = loader.get('batch_size') or 1
        # MMEngine's sampler repeats a few, so that all processes have as many.
        share = ceil(samples / processes)
        epoch = share // batch if loader.get('drop_last') else ceil(share / batch)
        by_epoch = cfg.train_cfg.get('max_epochs') is not None
        steps = cfg.train_cfg.get('max_iters') or 0
        if by_epoch:
            steps = epoch * cfg.train_cfg.max_epochs
        counts = (cfg.get('optim_wrapper') or {}).get('accumulative_counts') or 1
        return cls(videos, samples, batch, processes, epoch, steps, counts, by_epoch)

    @property
    def updates(self) -> int:
        """Updates of the weights; what is left of an accumulation counts as one."""
        return ceil(self.steps / self.accumulation)

    def __str__(self) -> str:
        each = f' on each of {self.processes} processes' if self.processes > 1 else ''
        text = f'{self.steps:,} steps of {self.batch} samples{each}'
        if self.epoch:
            text += f', {self.epoch:,} an epoch of {self.samples:,} samples'
        if self.samples != self.videos:
            text += f' ({self.videos:,} videos)'
        if self.accumulation > 1:
            text += f'; {self.accumulation} steps an update, {self.updates:,} updates'
        return text


@dataclass(frozen=True)
class Finding:
    """One number that decides whether a method can learn.

    Attributes:
        part: Path in the config, e.g. ``model.teachers.momentum``.
        text: What was computed.
        wrong: What is wrong with it; empty where nothing is.
        hint: What to do, with the option. Empty where nothing is wrong.
    """

    part: str
    text: str
    wrong: str = ''
    hint: str = ''

    def __str__(self) -> str:
        if not self.wrong:
            return f'{self.part}: {self.text}'
        return f'{self.part}: {self.text}: {self.wrong}. {self.hint}'


def examine_method(cfg: Config, length: RunLength) -> list[Finding]:
    """Compute the numbers that decide whether a method can learn.

    The share of its start that is left in a moving average, the size of a queue beside
    the number of videos, and the chance that a sample is among its own negatives.
    """
    found = []
    for hook in cfg.get('custom_hooks') or []:
        plain = hook.get('ema_type', 'ExponentialMovingAverage')
        if hook.get('type') == 'EMAHook' and plain == 'ExponentialMovingAverage':
            # As --cfg-options takes it. MMEngine's momentum is the share of the new.
            part, kept = 'custom_hooks.EMAHook', 1 - hook.get('momentum', 0.0002)
            interval = hook.get('interval', 1)
            found.append(_average(cfg, length, part, kept, interval, of_hook=True))
    for path, node in walk(cfg, 'model'):
        options = known_options(node)
        if options.get('type') == 'mmkd.MomentumTeacher':
            momentum, interval = options['momentum'], options['update_interval']
            found.append(_average(cfg, length, path, momentum, interval))
        elif isinstance(options.get('queue_size'), int):
            found.append(_queue(path, options['queue_size'], length))
        elif isinstance(options.get('num_negatives'), int):
            found.append(_negatives(path, options, length.videos))
    return found


def known_options(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a part of a model, defaults of its class included."""
    name = node.get('type')
    cls = MODELS.get(name) if isinstance(name, str) and name[:5] == 'mmkd.' else None
    given = inspect.signature(cls).parameters.values() if inspect.isclass(cls) else ()
    defaults = {p.name: p.default for p in given if p.default is not inspect._empty}
    return {**defaults, **node}


def own_among_drawn(negatives: int, videos: int) -> float:
    """Return the chance that a sample's own feature is among its negatives.

    ``1 - (1 - 1/N)^K`` for ``K`` features drawn with replacement from ``N``.
    """
    return 1 - (1 - 1 / max(videos, 1)) ** negatives


def own_in_queue(size: int, videos: int) -> float:
    """Return the chance that an older key of a sample is in a queue.

    Every epoch goes once over ``N`` videos in an order of its own, so that the distance
    to a video's last turn has a triangular distribution over ``0..2N``: for a queue of
    ``K <= N`` keys the chance is ``(K/N)^2 / 2``, for ``K >= 2N`` it is 1.
    """
    times = size / max(videos, 1)
    return times**2 / 2 if times <= 1 else 1 - max(2 - times, 0) ** 2 / 2


def _average(
    cfg: Config,
    length: RunLength,
    part: str,
    momentum: float,
    interval: int,
    of_hook: bool = False,
) -> Finding:
    # The first step copies the student.
    updates = max(length.steps - 1, 0) // interval
    left, loaded = momentum**updates, bool(cfg.get('load_from'))
    text = (
        f'{"1 - " if of_hook else ""}momentum={momentum:g} over {updates:,} updates '
        f'leaves {percent(left)} of the {"" if loaded else "random "}start in the '
        'average'
    )
    if left <= MOST_OF_THE_START or loaded:
        return Finding(part, text)
    enough = enough_momentum(updates)
    hint = (
        f'Set {part}.momentum={1 - enough if of_hook else enough:g}, or train longer.'
    )
    if of_hook:
        return Finding(part, text, 'the averaged weights are hardly trained', hint)
    if enough < 0.9:  # a teacher that follows at once is none
        hint = 'Train longer.'
    return Finding(part, text, 'it teaches next to nothing', hint)


def enough_momentum(updates: int) -> float:
    """Return a round momentum that leaves a hundredth of the start at most."""
    for momentum in (0.9999, 0.9995, 0.999, 0.998, 0.995, 0.99, 0.98, 0.95, 0.9):
        if momentum**updates <= 0.01:
            return momentum
    return 0.5


def _queue(path: str, size: int, length: RunLength) -> Finding:
    videos = length.videos
    # Repeated within an epoch, videos come nearly as if drawn with replacement.
    repeated = length.samples > videos
    chance = (own_among_drawn if repeated else own_in_queue)(size, videos)
    text = (
        f'queue of {size:,} for {videos:,} videos ({size / max(videos, 1):.2g} keys '
        f'each), an older key of the own video in it: {percent(chance)}'
    )
    if 3 * size <= videos:
        return Finding(path, text)
    if size <= LARGEST_QUEUE * videos:
        return Finding(path, f'{text}; a third of the videos or less is safer')
    return Finding(
        path,
        text,
        'a clip is told from older keys of its own video',
        f'Set {path}.queue_size={max(videos // 3, 1)} or less, a third of the videos.',
    )


def _negatives(path: str, options: Mapping[str, Any], videos: int) -> Finding:
    count = options['num_negatives']
    if options.get('exclude_own'):
        text = f'{count:,} negatives from {videos:,} videos, the own one left out'
        return Finding(path, text)
    chance = own_among_drawn(count, videos)
    text = (
        f'{count:,} negatives from {videos:,} videos, the own one among them: '
        f'{percent(chance)}'
    )
    if chance <= LARGEST_OWN_CHANCE:
        return Finding(path, text)
    return Finding(
        path,
        text,
        'the target is wrong in these samples',
        f'Set {path}.exclude_own=True, or fewer num_negatives.',
    )


def percent(share: float) -> str:
    """Return a share in per cent, two digits; small ones as what they are below."""
    if 0 < share < 0.0001:
        return '< 0.01 %'
    return f'{100 * share:.2g} %' if share < 0.995 else '100 %'
