"""Run the stages of experiments for every seed, and collect what they measured."""

import pprint
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from mmkd.commands.pipeline import Stage, run_pipeline
from mmkd.commands.pipeline.state import StageState, checkpoint_of
from mmkd.commands.reproduce.derive import derive_config, stages_read
from mmkd.commands.reproduce.experiment import Experiment
from mmkd.config_files import read_config
from mmkd.datasets.pack_videos import pack_videos
from mmkd.evaluation.evaluate import Evaluation, SplitEvaluation
from mmkd.files import read_json, write_json, write_text
from mmkd.models.metrics import linear_cka
from mmkd.scalars import held_out_accuracy, read_scalars

Results = dict[str, dict[str, list[float]]]

# What test.py and evaluate.py call their results, and the factor to percent.
_METRICS = {
    'acc/top1': ('top-1 %', 100.0),
    'linear/top1': ('linear %', 1.0),
    'R@1': ('R@1 %', 1.0),
    'R@5': ('R@5 %', 1.0),
}


def run_experiments(
    experiments: Sequence[Experiment],
    seeds: Sequence[int],
    tools: Path,
    work_dir: Path,
    jobs: int = 1,
    deadline: float | None = None,
) -> dict[str, Results]:
    """Run what is not done yet, as one pipeline, so that no job waits between two.

    Args:
        experiments: The experiments.
        seeds: Seeds of the training; a shared stage has seed 0.
        tools: Folder of ``train.py``, ``test.py`` and ``evaluate.py``.
        work_dir: Folder of all experiments.
        jobs: Stages that run at a time; any number gives the same results. Defaults
            to 1.
        deadline: When to let the running stages save and stop, on the clock of
            ``time.monotonic``. Defaults to None: never.

    Returns:
        By the name of the experiment, for each arm and metric one result a seed, also
        written to ``figures.json`` in the experiment's folder.

    Raises:
        UserError: If a stage fails, or was started before with other settings.
        Stopped: If it was told to stop, or the deadline came.
    """
    stages: dict[str, Stage] = {}
    for experiment in experiments:
        folder = work_dir / experiment.name
        packed = _packed_videos(experiment, work_dir)
        for seed in seeds:
            found = stages_of(experiment, seed, folder, packed)
            stages |= {stage.name: stage for stage in found}
    run = [*stages.values()]
    states = run_pipeline(run, tools, work_dir, jobs=jobs, deadline=deadline)
    return {one.name: _collect(one, seeds, work_dir, states) for one in experiments}


def _packed_videos(experiment: Experiment, work_dir: Path) -> Path | None:
    """Return the folder of the decoded clips; decode them if it is not there."""
    videos = experiment.videos
    if videos is None:
        return None
    prefix = Path(videos['prefix'])
    out = work_dir / 'packed' / f'{prefix.parent.name}_{videos["short_side"]}'
    if not (out / 'index.json').exists():
        lists = [Path(path) for path in videos['lists']]
        pack_videos(lists, prefix, out, videos['short_side'])
    return out


def stages_of(
    experiment: Experiment, seed: int, folder: Path, packed: Path | None
) -> list[Stage]:
    """Return the stages of one seed; their configs are written below ``folder``."""
    stages = []
    files: dict[str, str] = {}
    for name in experiment.stages:
        where = experiment.path(name, seed)
        path = folder / 'configs' / f'{where}.py'
        write_text(path, _text(derive_config(experiment, name, files, packed)))
        epochs = experiment.epochs(name)
        checkpoint = f'epoch_{epochs}.pth' if epochs else ''  # its last one
        files[f'{name}.config'] = str(path)
        files[f'{name}.checkpoint'] = str(folder / where / checkpoint)
        stages.append(_stage(experiment, name, seed, path))
    return stages


def _text(cfg: Config) -> str:
    """Return a config's text: its own pretty_text takes a tenth of a second."""
    values = cfg.to_dict()
    return ''.join(f'{key} = {pprint.pformat(values[key])}\n' for key in values)


def _stage(experiment: Experiment, name: str, seed: int, config: Path) -> Stage:
    def path_of(stage: str) -> str:
        return f'{experiment.name}/{experiment.path(stage, seed)}'

    entry = experiment.stages[name]
    weights = entry.get('weights')
    return Stage(
        name=path_of(name),
        config=config,
        kind=entry.get('kind', 'train'),
        weights=None if weights is None else path_of(weights),
        seed=0 if name in experiment.shared else seed,
        protocols=tuple(entry.get('protocols', ())),
        needs=tuple(map(path_of, stages_read(entry.get('options', {})))),
    )


def _collect(
    experiment: Experiment,
    seeds: Sequence[int],
    work_dir: Path,
    states: Mapping[str, StageState],
) -> Results:
    folder, prefix = work_dir / experiment.name, f'{experiment.name}/'
    own = {k.removeprefix(prefix): v for k, v in states.items() if k.startswith(prefix)}
    results: Results = {arm: {} for arm in experiment.arms}
    for seed in seeds:
        for arm in experiment.arms:
            found = _arm_metrics(experiment, arm, seed, folder, own)
            for metric, value in found.items():
                results[arm].setdefault(metric, []).append(value)
    minutes = sum(state.seconds for state in own.values()) / 60
    content = {'seeds': list(seeds), 'minutes': minutes, 'arms': results}
    write_json(folder / 'figures.json', content)
    return results


def _arm_metrics(
    experiment: Experiment,
    arm: str,
    seed: int,
    folder: Path,
    states: Mapping[str, StageState],
) -> dict[str, float]:
    """Return the results of one arm by the names of the table's columns."""
    result: dict[str, float] = {}
    for name in experiment.arms[arm]:
        where = experiment.path(name, seed)
        for key, (title, factor) in _METRICS.items():
            if key in states[where].metrics:
                result[title] = states[where].metrics[key] * factor
        result |= pretext_results(folder / where, experiment.level)
    if arm in experiment.drift:
        before, after = (experiment.path(s, seed) for s in experiment.drift[arm])
        result['CKA to the start'] = _drift(folder, before, after)
    return result


def pretext_results(folder: Path, level: float | None) -> dict[str, float]:
    """Return the accuracy of a pretext task on held-out videos, from the run's log.

    Nothing, if the stage measured none. Where ``level`` (percent) was never reached,
    the epochs to it are infinite.
    """
    curve = held_out_accuracy(read_scalars(folder))
    if not curve:
        return {}
    result = {'pretext %': curve[max(curve)]}
    if level is not None:
        reached = [epoch for epoch, value in curve.items() if value >= level]
        result[f'epochs to {level:g} %'] = min(reached, default=float('inf'))
    return result


def _drift(folder: Path, before: str, after: str) -> float:
    cached = folder / after / 'drift.json'
    if not cached.exists():
        config = folder / 'configs' / f'{after}.py'
        start, end = (checkpoint_of(folder / x, None) for x in (before, after))
        tables = folder / after / 'features'
        write_json(cached, {'cka': _feature_drift(config, start, end, tables)})
    return read_json(cached)['cka']


def _feature_drift(config: Path, before: Path, after: Path, work_dir: Path) -> float:
    """Return linear CKA between the test videos' features of two checkpoints.

    It is 1 if the features are the same up to rotation and scale. Network and test list
    are those of a fine-tuning config; the tables of features in ``work_dir`` are made
    once.

    Raises:
        UserError: If a checkpoint does not fit the config.
    """
    cfg = read_config(config)
    vectors = []
    for path in (before, after):
        settings = Evaluation(str(path), protocols=(), work_dir=work_dir)
        table = SplitEvaluation(cfg, None, settings).features('test')
        vectors.append(table['average'])
    return linear_cka(*vectors)
