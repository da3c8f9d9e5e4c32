"""The curves of all trainings: losses, accuracies, rates, speed."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from mmkd.commands.report.charts import line_chart
from mmkd.commands.report.page import pieces
from mmkd.commands.report.runs import Run
from mmkd.commands.report.series import iterations_per_epoch, lines, numeric_keys
from mmkd.scalars import Record


class _Quantity(NamedTuple):
    """A quantity of which all trainings share one chart."""

    key: str  # in the log
    title: str
    unit: str
    remedy: str = ''  # how to get it where it is not there
    factor: float = 1.0
    log: bool = False


_THROUGHPUT = 'Add `dict(type="mmkd.ThroughputHook")` to `custom_hooks`.'
_KNN = _Quantity(
    'online_knn/top1',
    'Online kNN',
    'top-1 (%)',
    'Add `mmkd.OnlineKNNHook` to `custom_hooks`, see docs/evaluation.md.',
)
_SCHEDULE = (
    _Quantity('lr', 'Learning rate', 'learning rate', 'It is in every log.', log=True),
    _Quantity('clips_per_s', 'Speed', 'clips per second', _THROUGHPUT),
    _Quantity('data_wait', 'Waiting for data', 'share of time (%)', _THROUGHPUT, 100),
)
_HEALTH = (
    _Quantity('feature_std', 'Spread of the features', '1 healthy, 0 collapsed'),
    _Quantity('feature_rank', 'Directions in use', 'effective rank'),
    _Quantity('conflict/cosine', 'Gradients of the two kinds of task', 'cosine'),
)


def loss_section(runs: Sequence[Run]) -> Markup:
    """Return the losses: a chart for each training."""
    charts = _by_training(runs, _loss_keys, 'loss')
    none = pieces.absent('No training lies here', 'Name a folder of `tools/train.py`.')
    return pieces.grid(charts) if charts else none


def accuracy_section(runs: Sequence[Run]) -> Markup:
    """Return the pretext tasks' accuracies, and those of classifiers."""
    body = pieces.paragraph(
        'Of a pretext task, and of a classifier in training: on the batches of the '
        'training, and on videos that were held out of it.'
    )
    charts = _by_training(runs, _accuracy_keys, 'accuracy (%)', 100, from_zero=True)
    none = pieces.absent('No training logged an accuracy')
    body += pieces.grid(charts) if charts else none
    if not any(k.startswith('held_out/') for run in runs for r in run.rows for k in r):
        body += pieces.absent(
            'No accuracy of a pretext task on held-out videos was logged',
            'Add `dict(type="mmkd.HeldOutPretextHook", ann_file=...)` to '
            '`custom_hooks` of a pre-training.',
        )
    return body + pieces.grid([_of_all(runs, _KNN)])


def schedule_section(runs: Sequence[Run]) -> Markup:
    """Return learning rate, speed and waiting time."""
    return pieces.grid([_of_all(runs, quantity) for quantity in _SCHEDULE])


def agreement_section(runs: Sequence[Run]) -> Markup:
    """Return how far students agree with their teachers over time."""

    def chosen(rows: Sequence[Record]) -> dict[str, str]:
        return {key: key for key in numeric_keys(rows, lambda k: 'agreement' in k)}

    charts = _by_training(runs, chosen, 'agreement (1: full)')
    if not charts:
        return pieces.absent(
            'No training logged the agreement of a student with a teacher',
            'Distillation logs it by itself: `mmkd.SimilarityDistill`, '
            '`mmkd.Distiller`, `mmkd.EpochTeacherHook`.',
        )
    return pieces.paragraph(
        'For distributions over classes: the share of clips that both put into one '
        'class. For similarities to a queue (auxSKD): the correlation of the two. For '
        'features: the mean cosine.'
    ) + pieces.grid(charts)


def health_section(runs: Sequence[Run]) -> Markup | None:
    """Return signs of collapse and of conflict, where they were logged."""
    logged = [sign for sign in _HEALTH if any(_logs(run, sign.key) for run in runs)]
    return pieces.grid([_of_all(runs, sign) for sign in logged]) if logged else None


def _loss_keys(rows: Sequence[Record]) -> dict[str, str]:
    """Return the losses of a training; its sum alone where it has but one part."""
    keys = numeric_keys(rows, lambda k: 'loss' in k and not k.startswith('held_out/'))
    if len(keys) == 2 and 'loss' in keys:
        keys = ['loss']
    return {key: key for key in keys}


def _accuracy_keys(rows: Sequence[Record]) -> dict[str, str]:
    """Return the accuracies of a training, and where each was measured."""

    def wanted(key: str) -> bool:
        accuracy = any(part in key for part in ('/acc', 'acc/', '_acc'))
        return accuracy and not key.startswith('online_knn/')

    keys = numeric_keys(rows, wanted)
    where = {k: 'validation' if k.startswith('acc/') else 'batch' for k in keys}
    return {k: k if k.startswith('held_out/') else f'{k} ({where[k]})' for k in keys}


def _by_training(
    runs: Sequence[Run],
    choose: Callable[[Sequence[Record]], dict[str, str]],
    unit: str,
    factor: float = 1.0,
    from_zero: bool = False,
) -> list[Markup]:
    """Return a chart for each training that logged what is chosen, with its labels."""
    charts = []
    for run in runs:
        labels = choose(run.rows) if run.is_training else {}
        if labels:
            found = lines(run.rows, list(labels), factor, list(labels.values()))
            chart = line_chart(run.name, found, unit, _x(run), from_zero=from_zero)
            charts.append(chart)
    return charts


def _of_all(runs: Sequence[Run], what: _Quantity) -> Markup:
    """Return one chart with a line a training, or how to get it."""
    trainings = [run for run in runs if run.is_training]
    found = [
        line
        for slot, run in enumerate(trainings)
        if _logs(run, what.key)
        for line in lines(run.rows, [what.key], what.factor, [run.name], slot)
    ]
    if not found:
        return pieces.absent(f'{what.title}: not logged', what.remedy)
    x_label = ' or '.join(sorted({_x(run) for run in trainings}))
    return line_chart(
        what.title, found, what.unit, x_label, what.log, from_zero=not what.log
    )


def _logs(run: Run, key: str) -> bool:
    return run.is_training and any(key in row for row in run.rows)


def _x(run: Run) -> str:
    return 'epoch' if iterations_per_epoch(run.rows) else 'iteration'
