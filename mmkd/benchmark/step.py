"""The training step: beside a hand-written loop, in several ways, of two configs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch.utils.flop_counter import FlopCounterMode

from mmkd.benchmark.batches import Batch, first_batch
from mmkd.benchmark.figures import Figures, Ratio
from mmkd.benchmark.hand_written import hand_written_step
from mmkd.benchmark.machine import peak_tflops
from mmkd.benchmark.rounds import CLOCKS, interleave
from mmkd.benchmark.training import (
    build_model,
    clips_of,
    synchronize,
    timed,
    training_step,
)
from mmkd.benchmark.variants import Variant

Measure = Callable[[], float]


@dataclass(frozen=True)
class StepPlan:
    """How a step is measured.

    Attributes:
        batch_size: Samples ``N`` of the batch.
        variants: Ways to compute.
        rounds: Counted rounds.
        steps: Steps in one measurement.
        limit: Seconds after which no further round begins.
        rendered: Whether the batch comes from rendered clips.
        hand: Whether to measure the hand-written loop as well.
        peak: Peak of the device in TFLOP/s; None for that of a known GPU.
        clock: Name in :data:`mmkd.benchmark.rounds.CLOCKS`.
    """

    batch_size: int = 8
    variants: Sequence[str] = ('fp32', 'bf16+cl')
    rounds: int = 5
    steps: int = 2
    limit: float = 600.0
    rendered: bool = True
    hand: bool = True
    peak: float | None = None
    clock: str = 'wall'


def measure_step(cfg: Config, plan: StepPlan, against: Config | None = None) -> Figures:
    """Measure the step of a config.

    The batch is made once and used again, so that the loader plays no part.

    Args:
        cfg: Config.
        plan: How.
        against: A second config, measured in the same rounds. Defaults to None.
    """
    batch = first_batch(cfg, plan.batch_size, plan.rendered)
    work = {**describe_work(batch, plan), 'clock': plan.clock}
    figures = Figures(f'training step of {cfg.filename}', work)
    other: Batch = {'inputs': []}
    if against is not None:
        other = first_batch(against, plan.batch_size, plan.rendered)
    arms: dict[str, Measure] = {}
    flops: dict[str, float] = {}
    for name in plan.variants:
        variant = Variant.parse(name)
        arms[name], flops[name] = _ours(cfg, batch, variant, plan)
        by_hand = _hand(cfg, batch, variant, plan)
        if by_hand is not None:
            arms[f'{name}, by hand'] = by_hand
        if against is not None:
            arms[f'{name}, other'], _ = _ours(against, other, variant, plan)
    seconds = interleave(arms, plan.rounds, plan.limit)
    for name, values in seconds.items():
        clips = clips_of(other if name.endswith(', other') else batch)
        figures.add_times(name, values, clips)
    for name in plan.variants:
        _add_arithmetic(figures, name, flops[name], plan)
    _add_ratios(figures, plan.variants, seconds, cfg, against)
    if plan.hand and not any('by hand' in name for name in arms):
        figures.notes.append('No hand-written loop was written for this method.')
    return figures


def measure_wait(cfg: Config, plan: StepPlan, batches: int) -> dict[str, float]:
    """Train on what the config's own loader gives, and see how long steps wait.

    Args:
        cfg: Config, with its data in place.
        plan: Its first variant is used.
        batches: Batches to count, after two that are not.

    Returns:
        ``clips/s``, and ``data wait``: the share of time until the next batch is there.
    """
    loader_cfg = {**cfg.train_dataloader.to_dict(), 'batch_size': plan.batch_size}
    with DefaultScope.overwrite_default_scope('mmaction'):
        loader = Runner.build_dataloader(loader_cfg, seed=0)
    samples = iter(_endless(loader))
    batch = next(samples)
    model = build_model(cfg, _rows(batch, len(loader.dataset)))
    holder: Batch = dict(batch)
    step = training_step(cfg, model, holder, Variant.parse(plan.variants[0]))
    start = waited = 0.0
    for turn in range(-2, batches):
        if turn == 0:
            synchronize()
            start, waited = perf_counter(), 0.0
        before = perf_counter()
        holder.update(next(samples))
        waited += perf_counter() - before
        step()
        synchronize()
    total = perf_counter() - start
    return {
        'clips/s': batches * clips_of(batch) / total,
        'seconds': total / batches,
        'data wait': waited / total,
    }


def _endless(loader: Any) -> Any:
    while True:
        yield from loader


def _ours(
    cfg: Config, batch: Batch, variant: Variant, plan: StepPlan
) -> tuple[Measure, float]:
    """Return the measurement and the arithmetic of a step, in FLOP."""
    model = build_model(cfg, _rows(batch))
    step = training_step(cfg, model, batch, variant)
    if variant.compiled:  # counted eagerly, the graph would be counted as one
        return timed(step, plan.steps, CLOCKS[plan.clock]), 0.0
    with FlopCounterMode(display=False) as counter:
        step()
    return timed(step, plan.steps, CLOCKS[plan.clock]), float(counter.get_total_flops())


def _hand(
    cfg: Config, batch: Batch, variant: Variant, plan: StepPlan
) -> Measure | None:
    optimizer = (cfg.get('optim_wrapper') or {}).get('optimizer')
    if not plan.hand or variant.compiled or optimizer is None:
        return None
    model = build_model(cfg, _rows(batch))
    step = hand_written_step(model, dict(optimizer), batch, variant)
    return None if step is None else timed(step, plan.steps, CLOCKS[plan.clock])


def _rows(batch: Batch, at_least: int = 1) -> int:
    """Return how many rows a memory bank needs for the samples."""
    samples = batch.get('data_samples') or []
    return max([at_least, *(1 + sample.get('sample_idx', 0) for sample in samples)])


def describe_work(batch: Batch, plan: StepPlan) -> dict[str, Any]:
    """Return what one piece of work is, in plain values."""
    shape = tuple(batch['inputs'][0].shape)
    views, _, frames, height, width = shape
    return {
        'batch': len(batch['inputs']),
        'views': views,
        'clip': f'{frames} x {height} x {width}',
        'steps per round': plan.steps,
        'input': 'rendered' if plan.rendered else 'files of the config',
    }


def _add_arithmetic(figures: Figures, name: str, flop: float, plan: StepPlan) -> None:
    """Add TFLOP/s, and its share of the peak where that is known."""
    if not flop:
        return
    rate = flop / figures.arms[name]['seconds'] / 1e12
    figures.arms[name]['TFLOP/s'] = rate
    peak = plan.peak or peak_tflops(half=not name.startswith('fp32'))
    if peak:
        figures.arms[name]['MFU'] = rate / peak


def _add_ratios(
    figures: Figures,
    variants: Sequence[str],
    seconds: dict[str, list[float]],
    cfg: Config,
    against: Config | None,
) -> None:
    for name in variants:
        if f'{name}, by hand' in seconds:
            what = f'{name}: time of the step / of the hand-written loop'
            reference = seconds[f'{name}, by hand']
            figures.ratios.append(Ratio.between(what, seconds[name], reference))
        if against is not None:
            what = f'{name}: time of {cfg.filename} / of {against.filename}'
            reference = seconds[f'{name}, other']
            figures.ratios.append(Ratio.between(what, seconds[name], reference))
    for name in variants[1:]:
        what = f'speed of {name} / of {variants[0]}'
        figures.ratios.append(Ratio.between(what, seconds[variants[0]], seconds[name]))
