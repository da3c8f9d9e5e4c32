"""Tables of final numbers, each with its protocol."""

import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup
from mmengine.config import Config

from mmkd.commands.report.charts import number
from mmkd.commands.report.configs import read_kept_config
from mmkd.commands.report.page import pieces
from mmkd.commands.report.runs import Run
from mmkd.commands.report.series import lines
from mmkd.evaluation.report import in_words
from mmkd.files import read_small_text
from mmkd.scalars import held_out_accuracy

_HEAD = ('run', 'protocol', 'results in %', 'test list', 'weights', 'seed')
_TRAINED = (
    *('training', 'epochs', 'minutes', 'loss', 'held-out %', 'kNN %'),
    *('clips/s', 'waiting %', 'last checkpoint'),
)
# Name in a report: what the page calls it, and what makes it percent.
_CARDS = {
    'acc/top1': ('top-1', 100),
    'finetune/top1': ('fine-tuned', 1),
    'R@1': ('retrieval R@1', 1),
}


def results_section(runs: Sequence[Run]) -> Markup:
    """Return what tests and evaluations measured, and where trainings ended."""
    cards = [
        (content[key] * factor, unit, run.name)
        for run in runs
        for content in run.reports.values()
        for key, (unit, factor) in _CARDS.items()
        if key in content
    ]
    body = pieces.cards(cards) if cards else Markup()
    rows = [row for run in runs for row in _measured(run)]
    if rows:
        body += pieces.table(_HEAD, rows, 'Tests and evaluations') + _protocols(runs)
    else:
        body += pieces.absent(
            'No test and no evaluation lies here',
            'Give `--json FILE` to `tools/test.py` or `tools/evaluate.py`, with FILE '
            'in the work folder, or name the file after `--reports`.',
        )
    trained = [_training(run) for run in runs if run.is_training]
    if trained:
        caption = (
            'Where the trainings ended. Loss: mean of the last tenth; held-out: mean '
            'of the pretext accuracies; clips/s and waiting for data: medians.'
        )
        body += pieces.table(_TRAINED, trained, caption, numbers=range(1, 8))
    return body


def _protocols(runs: Sequence[Run]) -> Markup:
    """Return what each protocol of the table lays down."""
    found = [content['preset'] for run in runs for content in run.evaluations]
    body = Markup()
    for name, preset in {preset['name']: preset for preset in found}.items():
        text = f'Protocol `{name}` (source: {preset["source"]}): {preset["clips"]}. '
        text += f'Lists: {preset["lists"]}.'
        if preset.get('differences'):
            text += f' Published results differ: {"; ".join(preset["differences"])}.'
        body += pieces.caption(text)
    return body


def _measured(run: Run) -> Iterator[tuple[str, ...]]:
    for content in run.reports.values():
        if 'results' in content:
            for record in content['results']:
                yield run.name, *_evaluation(content, record)
        else:
            yield run.name, *_test(run, content)


def _evaluation(content: dict[str, Any], record: dict[str, Any]) -> tuple[str, ...]:
    split = '' if record['split'] is None else f', split {record["split"]}'
    test = record['test_list']
    return (
        f'{record["protocol"]}{split}, by `{record["preset"]}`',
        in_words(record['figures'], ': '),
        f'`{test["path"]}`, {test["videos"]} videos, {test["sha256"][:8]}',
        f'`{content["checkpoint"]}` ({content["weights"]})',
        str(record['seed']),
    )


def _test(run: Run, content: dict[str, Any]) -> tuple[str, ...]:
    results = in_words({key: 100 * value for key, value in content.items()}, ': ')
    cfg = read_kept_config(run.config)
    clips = weights = 'not known'
    if cfg is not None:
        clips = describe_clips(cfg)
        path = cfg.get('load_from') or ''
        near = os.path.relpath(path) if path else ''
        weights = f'`{path if near.startswith("..") else near}`' if path else '-'
    return 'test (`tools/test.py`)', results, clips, weights, '-'


def describe_clips(cfg: Config) -> str:
    """Return in words which clips of which videos a config tests."""
    dataset = cfg.get('test_dataloader', {}).get('dataset', {})
    sampler = next((s for s in dataset.get('pipeline', ()) if 'clip_len' in s), None)
    text = f'list `{dataset.get("ann_file", "not known")}`'
    if sampler is None:
        return text
    clips = sampler.get('num_clips', 1)
    length, interval = sampler['clip_len'], sampler.get('frame_interval', 1)
    every = f', one frame in {interval}' if interval > 1 else ''
    return f'{clips} clips of {length} frames{every}, scores averaged; {text}'


def _training(run: Run) -> tuple[str, ...]:
    last = [row for row in run.rows if 'iter' in row][-1]
    held = held_out_accuracy(run.rows)
    minutes = _minutes(run)
    return (
        run.name,
        str(last['epoch']) if 'epoch' in last else f'{last["iter"]} it.',
        '-' if minutes is None else f'{minutes:.1f}',
        _end(run, 'loss'),
        f'{held[max(held)]:.1f}' if held else '-',
        _end(run, 'online_knn/top1'),
        _median(run, 'clips_per_s', 1),
        _median(run, 'data_wait', 100),
        _checkpoint(run),
    )


def _minutes(run: Run) -> float | None:
    """Return the wall time: a pipeline's, or iterations times their mean duration."""
    if run.seconds:
        return run.seconds / 60
    timed = [row for row in run.rows if {'iter', 'time'} <= set(row)]
    if not timed:
        return None
    mean = sum(row['time'] for row in timed) / len(timed)
    return max(row['iter'] for row in timed) * mean / 60


def _end(run: Run, key: str) -> str:
    last = lines(run.rows, [key])[0].last
    return '-' if math.isnan(last) else number(last)


def _median(run: Run, key: str, factor: float) -> str:
    values = sorted(row[key] for row in run.rows if key in row)
    return f'{factor * values[len(values) // 2]:.3g}' if values else '-'


def _checkpoint(run: Run) -> str:
    pointer = run.folder / 'last_checkpoint'
    if not pointer.is_file():
        return 'none'
    try:
        return f'`{Path(read_small_text(pointer, 4096).strip()).name}`'
    except (OSError, ValueError):
        return 'not readable'
