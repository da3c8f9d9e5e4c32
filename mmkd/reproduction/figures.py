"""What an arm of an experiment measured with one seed."""

import json
from collections.abc import Mapping
from pathlib import Path

from mmkd.evaluation.drift import feature_drift
from mmkd.files import write_json
from mmkd.pipeline.state import StageState, checkpoint_of
from mmkd.reproduction.experiment import Experiment
from mmkd.scalars import held_out_accuracy, read_scalars

# What test.py and evaluate.py call their figures, and the factor to percent.
MEASURES = {
    'acc/top1': ('top-1 %', 100.0),
    'linear/top1': ('linear %', 1.0),
    'R@1': ('R@1 %', 1.0),
    'R@5': ('R@5 %', 1.0),
}


def arm_figures(
    experiment: Experiment,
    arm: str,
    seed: int,
    folder: Path,
    states: Mapping[str, StageState],
) -> dict[str, float]:
    """Return the figures of one arm by the names of the table's columns.

    Args:
        experiment: The experiment.
        arm: Name of the arm.
        seed: The seed.
        folder: Folder of the experiment.
        states: States of the stages by their folders.
    """
    result: dict[str, float] = {}
    for name in experiment.arms[arm]:
        where = experiment.place(name, seed)
        for key, (title, factor) in MEASURES.items():
            if key in states[where].metrics:
                result[title] = states[where].metrics[key] * factor
        result |= pretext_figures(folder / where, experiment.level)
    if arm in experiment.drift:
        before, after = (experiment.place(s, seed) for s in experiment.drift[arm])
        result['CKA to the start'] = _drift(folder, before, after)
    return result


def pretext_figures(folder: Path, level: float | None) -> dict[str, float]:
    """Return the accuracy of a pretext task on held-out videos, from the run's log.

    Args:
        folder: Folder of a training stage.
        level: Accuracy in percent that "epochs to" is counted to; infinite where it is
            never reached.

    Returns:
        Nothing, if the stage measured none.
    """
    curve = pretext_curve(folder)
    if not curve:
        return {}
    result = {'pretext %': curve[max(curve)]}
    if level is not None:
        reached = [epoch for epoch, value in curve.items() if value >= level]
        result[f'epochs to {level:g} %'] = min(reached, default=float('inf'))
    return result


def pretext_curve(folder: Path) -> dict[int, float]:
    """Return the held-out accuracy in percent by epoch, the mean over the tasks."""
    return held_out_accuracy(read_scalars(folder))


def _drift(folder: Path, before: str, after: str) -> float:
    cached = folder / after / 'drift.json'
    if not cached.exists():
        config = folder / 'configs' / f'{after}.py'
        start, end = (checkpoint_of(folder / x, None) for x in (before, after))
        tables = folder / after / 'features'
        write_json(cached, {'cka': feature_drift(config, start, end, tables)})
    return json.loads(cached.read_text())['cka']
