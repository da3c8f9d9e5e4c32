"""Tables of final numbers, each with its protocol."""

import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd.scalars import held_out_accuracy
from mmkd.visualization.report.chart import number
from mmkd.visualization.report.html import Section, absent, table, with_code
from mmkd.visualization.report.runs import Run
from mmkd.visualization.report.series import lines

_HEAD = ('run', 'protocol', 'figures in %', 'test list', 'weights', 'seed')
_TRAINED = (
    *('training', 'epochs', 'minutes', 'loss', 'held-out %', 'kNN %'),
    *('clips/s', 'waiting %', 'last checkpoint'),
)


def results_section(runs: Sequence[Run]) -> Section:
    """Return what tests and evaluations measured, and where trainings ended."""
    rows = [row for run in runs for row in _measured(run)]
    if rows:
        body = table(_HEAD, rows, 'Tests and evaluations') + _protocols(runs)
    else:
        body = absent(
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
        body += table(_TRAINED, trained, caption, numbers=range(1, 8))
    return Section('results', 'Results', headline(runs) + body)


def _protocols(runs: Sequence[Run]) -> str:
    """Return what each protocol of the table lays down."""
    presets = {
        content['preset']['name']: content['preset']
        for run in runs
        for content in run.reports.values()
        if 'results' in content
    }
    lines = []
    for name, preset in presets.items():
        text = f'Protocol `{name}` (source: {preset["source"]}): {preset["clips"]}. '
        text += f'Lists: {preset["lists"]}.'
        if preset.get('differences'):
            text += f' Published figures differ: {"; ".join(preset["differences"])}.'
        lines.append(f'<p class="caption">{with_code(text)}</p>')
    return ''.join(lines)


def headline(runs: Sequence[Run]) -> str:
    """Return the main figure of each test and evaluation as a row of cards."""
    cards = []
    for run in runs:
        for content in run.reports.values():
            for key, unit in (('acc/top1', 'top-1'), ('finetune/top1', 'fine-tuned')):
                if key in content:
                    factor = 100 if key == 'acc/top1' else 1
                    cards.append((content[key] * factor, unit, run.name))
            if 'R@1' in content:
                cards.append((content['R@1'], 'retrieval R@1', run.name))
    if not cards:
        return ''
    items = ''.join(
        f'<li><b>{value:.1f} %</b><span>{with_code(f"{unit}, {name}")}</span></li>'
        for value, unit, name in cards
    )
    return f'<ul class="cards">{items}</ul>'


def _measured(run: Run) -> Iterator[tuple[str, ...]]:
    for content in run.reports.values():
        if 'results' in content:
            for record in content['results']:
                yield _evaluation(run, content, record)
        else:
            yield _test(run, content)


def _evaluation(
    run: Run, content: dict[str, Any], record: dict[str, Any]
) -> tuple[str, ...]:
    split = '' if record['split'] is None else f', split {record["split"]}'
    test = record['test_list']
    where = f'`{test["path"]}`, {test["videos"]} videos, {test["sha256"][:8]}'
    weights = f'`{content["checkpoint"]}` ({content["weights"]})'
    protocol = f'{record["protocol"]}{split}, by `{record["preset"]}`'
    figures = _figures(record['figures'])
    return run.name, protocol, figures, where, weights, str(record['seed'])


def _test(run: Run, content: dict[str, Any]) -> tuple[str, ...]:
    figures = _figures({key: 100 * value for key, value in content.items()})
    cfg = read_config(run.config)
    clips = weights = 'not known'
    if cfg is not None:
        clips = describe_clips(cfg)
        weights = f'`{_short(cfg.get("load_from"))}`' if cfg.get('load_from') else '-'
    return run.name, 'test (`tools/test.py`)', figures, clips, weights, '-'


def _figures(figures: dict[str, float]) -> str:
    """Return figures by name; those of several k share one name."""
    names = [name.split('/')[-1] for name in figures]
    values = [f'{value:.1f}' for value in figures.values()]
    if all(name.startswith('R@') for name in names):
        ks = '/'.join(name.split()[0][2:] for name in names)
        return f'R@{ks}: {" / ".join(values)}'
    return ', '.join(f'{n} {v}' for n, v in zip(names, values, strict=True))


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


def read_config(path: Path | None) -> Config | None:
    """Return a config as it was run; None if it is not there or cannot be read.

    A config is a program, and may import what is not installed here: whatever it
    raises, the rest of the page does not need it.
    """
    if path is None:
        return None
    try:
        return Config.fromfile(path)
    except Exception:
        return None


def _training(run: Run) -> tuple[str, ...]:
    def last(key: str, factor: float = 1.0) -> float:
        found = lines(run.rows, [key], factor)[0]
        return found.last if len(found.y) else math.nan

    rows = [row for row in run.rows if 'iter' in row]
    held = held_out_accuracy(run.rows)
    epochs = (
        str(rows[-1]['epoch']) if 'epoch' in rows[-1] else f'{rows[-1]["iter"]} it.'
    )
    minutes = _minutes(run)
    return (
        run.name,
        epochs,
        '-' if minutes is None else f'{minutes:.1f}',
        _or_dash(last('loss')),
        f'{held[max(held)]:.1f}' if held else '-',
        _or_dash(last('online_knn/top1')),
        _median(run, 'clips_per_s', 1),
        _median(run, 'data_wait', 100),
        _checkpoint(run),
    )


def _minutes(run: Run) -> float | None:
    """Return the wall time: a pipeline's, or iterations times their mean duration."""
    if run.seconds:
        return run.seconds / 60
    times = [
        (row['iter'], row['time']) for row in run.rows if {'iter', 'time'} <= set(row)
    ]
    if not times:
        return None
    mean = sum(time for _, time in times) / len(times)
    return max(step for step, _ in times) * mean / 60


def _median(run: Run, key: str, factor: float) -> str:
    values = sorted(row[key] for row in run.rows if key in row)
    return f'{factor * values[len(values) // 2]:.3g}' if values else '-'


def _or_dash(value: float) -> str:
    return '-' if math.isnan(value) else number(value)


def _checkpoint(run: Run) -> str:
    pointer = run.folder / 'last_checkpoint'
    if not pointer.is_file():
        return 'none'
    return f'`{Path(pointer.read_text(encoding="utf-8").strip()).name}`'


def _short(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith('..') else relative
