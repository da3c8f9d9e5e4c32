"""The training step: beside a hand-written loop, in several ways, of two configs."""

from itertools import count
from time import perf_counter
from typing import Any

from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch.utils.flop_counter import FlopCounterMode

from mmkd.commands.benchmark.batches import Batch, clip_facts, first_batch
from mmkd.commands.benchmark.hand_written import hand_written_step
from mmkd.commands.benchmark.measurements import Clock, Measurements, Plan, peak_tflops
from mmkd.commands.benchmark.training import (
    Variant,
    build_model,
    clips_of,
    synchronize,
    timed,
    training_step,
)


def measure_step(
    cfg: Config, plan: Plan, against: Config | None = None
) -> Measurements:
    """Measure the step of a config, and of a second one in the same rounds.

    The batch is made once and used again, so that the loader plays no part.
    """
    batch = first_batch(cfg, plan.batch_size, plan.rendered)
    work = {**describe_work(batch, plan), 'clock': plan.clock}
    measured = Measurements(f'training step of {cfg.filename}', work)
    other: Batch = {'inputs': []}
    if against is not None:
        other = first_batch(against, plan.batch_size, plan.rendered)
    arms: dict[str, Clock] = {}
    flops: dict[str, float] = {}
    for name in plan.ways:
        variant = Variant.parse(name)
        arms[name], flops[name] = _ours(cfg, batch, variant, plan)
        by_hand = _hand(cfg, batch, variant, plan)
        if by_hand is not None:
            arms[f'{name}, by hand'] = by_hand
        if against is not None:
            arms[f'{name}, other'], _ = _ours(against, other, variant, plan)
    seconds = plan.interleave(arms)
    for name, values in seconds.items():
        clips = clips_of(other if name.endswith(', other') else batch)
        measured.add_times(name, values, clips)
    first = plan.ways[0]
    for name in plan.ways:
        _add_arithmetic(measured, name, flops[name], plan)
        references = {
            f'{name}, by hand': 'of the step / of the hand-written loop',
            f'{name}, other': f'of {cfg.filename} / of {against and against.filename}',
        }
        for reference, words in references.items():
            if reference in seconds:
                what = f'{name}: time {words}'
                measured.add_ratio(what, seconds[name], seconds[reference])
    for name in plan.ways[1:]:
        measured.add_ratio(
            f'speed of {name} / of {first}', seconds[first], seconds[name]
        )
    if plan.hand and not any('by hand' in name for name in arms):
        measured.notes.append('No hand-written loop was written for this method.')
    return measured


def measure_wait(cfg: Config, plan: Plan, batches: int) -> dict[str, float]:
    """Train on what the config's own loader gives, and see how long steps wait.

    Two batches go before those that count. ``data wait`` is the share of time until
    the next batch is there.
    """
    loader_cfg = {**cfg.train_dataloader.to_dict(), 'batch_size': plan.batch_size}
    with DefaultScope.overwrite_default_scope('mmaction'):
        loader = Runner.build_dataloader(loader_cfg, seed=0)
    samples = (batch for _ in count() for batch in loader)
    batch = next(samples)
    model = build_model(cfg, _rows(batch, len(loader.dataset)))
    holder: Batch = dict(batch)
    step = training_step(cfg, model, holder, Variant.parse(plan.ways[0]))
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


def _ours(
    cfg: Config, batch: Batch, variant: Variant, plan: Plan
) -> tuple[Clock, float]:
    """Return the measurement and the arithmetic of a step, in FLOP."""
    model = build_model(cfg, _rows(batch))
    step = training_step(cfg, model, batch, variant)
    if variant.compiled:  # counted eagerly, the graph would be counted as one
        return timed(step, plan), 0.0
    with FlopCounterMode(display=False) as counter:
        step()
    return timed(step, plan), float(counter.get_total_flops())


def _hand(cfg: Config, batch: Batch, variant: Variant, plan: Plan) -> Clock | None:
    optimizer = (cfg.get('optim_wrapper') or {}).get('optimizer')
    if not plan.hand or variant.compiled or optimizer is None:
        return None
    model = build_model(cfg, _rows(batch))
    step = hand_written_step(model, dict(optimizer), batch, variant)
    return None if step is None else timed(step, plan)


def _rows(batch: Batch, at_least: int = 1) -> int:
    """Return how many rows a memory bank needs for the samples."""
    samples = batch.get('data_samples') or []
    return max([at_least, *(1 + sample.get('sample_idx', 0) for sample in samples)])


def describe_work(batch: Batch, plan: Plan) -> dict[str, Any]:
    """Return what one piece of work is, in plain values."""
    return {
        'batch': len(batch['inputs']),
        **clip_facts(batch['inputs'][0]),
        'steps per round': plan.steps,
        'input': 'rendered' if plan.rendered else 'files of the config',
    }


def _add_arithmetic(measured: Measurements, name: str, flop: float, plan: Plan) -> None:
    """Add TFLOP/s, and its share of the peak where that is known."""
    if not flop:
        return
    rate = flop / measured.arms[name]['seconds'] / 1e12
    measured.arms[name]['TFLOP/s'] = rate
    peak = plan.peak or peak_tflops(half=not name.startswith('fp32'))
    if peak:
        measured.arms[name]['MFU'] = rate / peak
