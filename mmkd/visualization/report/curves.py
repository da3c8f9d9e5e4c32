"""The curves of all trainings: losses, accuracies, rates, speed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mmkd.visualization.report.chart import line_chart
from mmkd.visualization.report.html import Section, absent, grid, paragraph
from mmkd.visualization.report.runs import Run
from mmkd.visualization.report.series import (
    Line,
    iterations_per_epoch,
    lines,
    numeric_keys,
)


@dataclass(frozen=True)
class Shared:
    """A quantity of which all trainings share one chart.

    Attributes:
        key: Its name in the log.
        title: Of the chart.
        unit: Of its axis.
        remedy: How to get it where it is not there.
        factor: On the values.
        log: Whether its axis is logarithmic.
    """

    key: str
    title: str
    unit: str
    remedy: str
    factor: float = 1.0
    log: bool = False


_THROUGHPUT = 'Add `dict(type="mmkd.ThroughputHook")` to `custom_hooks`.'
KNN = Shared(
    'online_knn/top1',
    'Online kNN',
    'top-1 (%)',
    'Add `mmkd.OnlineKNNHook` to `custom_hooks`, see docs/evaluation.md.',
)
RATE = Shared('lr', 'Learning rate', 'learning rate', 'It is in every log.', log=True)
SPEED = Shared('clips_per_s', 'Speed', 'clips per second', _THROUGHPUT)
WAIT = Shared('data_wait', 'Waiting for data', 'share of time (%)', _THROUGHPUT, 100)


def loss_section(runs: Sequence[Run]) -> Section:
    """Return the losses: a chart for each training."""
    charts = [chart for run in _trainings(runs) for chart in _losses(run)]
    body = grid(charts) if charts else _no_training()
    return Section('losses', 'Losses', body)


def accuracy_section(runs: Sequence[Run]) -> Section:
    """Return the pretext tasks' accuracies, and those of classifiers."""
    parts = [
        paragraph(
            'Of a pretext task, and of a classifier in training: on the batches of the '
            'training, and on videos that were held out of it.'
        )
    ]
    charts = [chart for run in _trainings(runs) for chart in _accuracies(run)]
    parts.append(grid(charts) if charts else absent('No training logged an accuracy'))
    held = any(
        k.startswith('held_out/') for run in runs for row in run.rows for k in row
    )
    if not held:
        parts.append(
            absent(
                'No accuracy of a pretext task on held-out videos was logged',
                'Add `dict(type="mmkd.HeldOutPretextHook", ann_file=...)` to '
                '`custom_hooks` of a pre-training.',
            )
        )
    parts.append(grid([_shared(runs, KNN)]))
    return Section('accuracy', 'Accuracy while training', ''.join(parts))


def schedule_section(runs: Sequence[Run]) -> Section:
    """Return learning rate, speed and waiting time."""
    body = grid(_shared(runs, quantity) for quantity in (RATE, SPEED, WAIT))
    return Section('speed', 'Learning rate and speed', body)


def agreement_section(runs: Sequence[Run]) -> Section:
    """Return how far students agree with their teachers over time."""
    charts = []
    for run in _trainings(runs):
        keys = numeric_keys(run.rows, lambda key: 'agreement' in key)
        if keys:
            chart = line_chart(
                run.name, lines(run.rows, keys), 'agreement (1: full)', _x(run)
            )
            charts.append(chart)
    if not charts:
        note = absent(
            'No training logged the agreement of a student with a teacher',
            'Distillation logs it by itself: `mmkd.SimilarityDistill`, '
            '`mmkd.Distiller`, `mmkd.EpochTeacherHook`.',
        )
        return Section('agreement', 'Student and teacher', note)
    text = paragraph(
        'For distributions over classes: the share of clips that both put into one '
        'class. For similarities to a queue (auxSKD): the correlation of the two. For '
        'features: the mean cosine.'
    )
    return Section('agreement', 'Student and teacher', text + grid(charts))


def health_section(runs: Sequence[Run]) -> Section | None:
    """Return signs of collapse and of conflict, where they were logged."""
    names = {
        'feature_std': ('Spread of the features', '1 healthy, 0 collapsed'),
        'feature_rank': ('Directions in use', 'effective rank'),
        'conflict/cosine': ('Gradients of the two kinds of task', 'cosine'),
    }
    charts = [
        chart
        for key, (title, unit) in names.items()
        for chart in _by_run(runs, key, title, unit)
    ]
    return Section('health', 'Signs of health', grid(charts)) if charts else None


def _trainings(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if run.is_training]


def _x(run: Run) -> str:
    return 'epoch' if iterations_per_epoch(run.rows) else 'iteration'


def _losses(run: Run) -> Iterator[str]:
    def wanted(key: str) -> bool:
        return 'loss' in key and not key.startswith('held_out/')

    keys = numeric_keys(run.rows, wanted)
    parts = [key for key in keys if key != 'loss']
    if len(parts) == 1 and 'loss' in keys:
        keys = ['loss']
    if keys:
        yield line_chart(run.name, lines(run.rows, keys), 'loss', _x(run))


def _accuracies(run: Run) -> Iterator[str]:
    def wanted(key: str) -> bool:
        return not key.startswith('online_knn/') and any(
            part in key for part in ('/acc', 'acc/', '_acc')
        )

    found: list[Line] = []
    for key in numeric_keys(run.rows, wanted):
        label = key if key.startswith('held_out/') else _say(key)
        found += lines(run.rows, [key], 100, [label], len(found))
    if found:
        yield line_chart(run.name, found, 'accuracy (%)', _x(run), from_zero=True)


def _say(key: str) -> str:
    """Name where an accuracy was measured."""
    where = 'validation' if key.startswith('acc/') else 'batch'
    return f'{key} ({where})'


def _shared(runs: Sequence[Run], what: Shared) -> str:
    charts = _by_run(runs, what.key, what.title, what.unit, what.factor, what.log)
    if charts:
        return charts[0]
    return absent(f'{what.title}: not logged', what.remedy)


def _by_run(
    runs: Sequence[Run],
    key: str,
    title: str,
    unit: str,
    factor: float = 1.0,
    log: bool = False,
) -> list[str]:
    """Return one chart with a line a training; none if nobody logged it."""
    found: list[Line] = []
    for place, run in enumerate(_trainings(runs)):
        if any(key in row for row in run.rows):
            found += lines(run.rows, [key], factor, [run.name], place)
    if not found:
        return []
    kinds = {_x(run) for run in _trainings(runs)}
    x_label = ' or '.join(sorted(kinds))
    return [line_chart(title, found, unit, x_label, log, from_zero=not log)]


def _no_training() -> str:
    return absent('No training lies here', 'Name a folder of `tools/train.py`.')


Build = Callable[[Sequence[Run]], Section | None]
