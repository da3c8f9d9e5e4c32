"""Run the stages of experiments for every seed, and collect what they measured."""

import pprint
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from mmkd.datasets.packed.writing import pack_videos
from mmkd.files import write_json, write_text
from mmkd.pipeline import Stage, run_pipeline
from mmkd.pipeline.state import StageState
from mmkd.reproduction.derive import derive_config, stages_read
from mmkd.reproduction.experiment import Experiment
from mmkd.reproduction.figures import arm_figures

Figures = dict[str, dict[str, list[float]]]


def run_experiments(
    experiments: Sequence[Experiment],
    seeds: Sequence[int],
    tools: Path,
    work_dir: Path,
    jobs: int = 1,
    deadline: float | None = None,
) -> dict[str, Figures]:
    """Run what is not done yet, as one pipeline, so that no job waits between two.

    Args:
        experiments: The experiments.
        seeds: Seeds of the training; a shared stage has seed 0.
        tools: Folder of ``train.py``, ``test.py`` and ``evaluate.py``.
        work_dir: Folder of all experiments.
        jobs: Stages that run at a time; any number gives the same figures. Defaults
            to 1.
        deadline: When to let the running stages save and stop, on the clock of
            ``time.monotonic``. Defaults to None: never.

    Returns:
        By the name of the experiment, for each arm and measure one figure a seed, also
        written to ``figures.json`` in the experiment's folder.

    Raises:
        UserError: If a stage fails, or was started before with other settings.
        Stopped: If it was told to stop, or the deadline came.
    """
    stages: dict[str, Stage] = {}
    for experiment in experiments:
        folder = work_dir / experiment.name
        packed = packed_videos(experiment, work_dir)
        for seed in seeds:
            found = stages_of(experiment, seed, folder, packed)
            stages |= {stage.name: stage for stage in found}
    run = [*stages.values()]
    states = run_pipeline(run, tools, work_dir, jobs=jobs, deadline=deadline)
    return {one.name: _collect(one, seeds, work_dir, states) for one in experiments}


def _collect(
    experiment: Experiment,
    seeds: Sequence[int],
    work_dir: Path,
    states: dict[str, StageState],
) -> Figures:
    prefix = f'{experiment.name}/'
    own = {k.removeprefix(prefix): v for k, v in states.items() if k.startswith(prefix)}
    figures = _figures(experiment, seeds, work_dir / experiment.name, own)
    minutes = sum(state.seconds for state in own.values()) / 60
    write_json(
        work_dir / experiment.name / 'figures.json',
        {'seeds': list(seeds), 'minutes': minutes, 'arms': figures},
    )
    return figures


def _figures(
    experiment: Experiment,
    seeds: Sequence[int],
    folder: Path,
    states: dict[str, StageState],
) -> Figures:
    figures: Figures = {arm: {} for arm in experiment.arms}
    for seed in seeds:
        for arm in experiment.arms:
            found = arm_figures(experiment, arm, seed, folder, states)
            for measure, value in found.items():
                figures[arm].setdefault(measure, []).append(value)
    return figures


def packed_videos(experiment: Experiment, work_dir: Path) -> Path | None:
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
        where = experiment.place(name, seed)
        path = folder / 'configs' / f'{where}.py'
        write_text(path, _text(derive_config(experiment, name, files, packed)))
        epochs = experiment.epochs(name)
        files[f'{name}.config'] = str(path)
        files[f'{name}.checkpoint'] = str(folder / where / last_checkpoint(epochs))
        stages.append(_stage(experiment, name, seed, path))
    return stages


def _text(cfg: Config) -> str:
    """Return a config's text: its own pretty_text takes a tenth of a second."""
    values = cfg.to_dict()
    return ''.join(f'{key} = {pprint.pformat(values[key])}\n' for key in values)


def last_checkpoint(epochs: int | None) -> str:
    """Return the name of a training stage's last checkpoint, if it says its epochs."""
    return f'epoch_{epochs}.pth' if epochs else ''


def _stage(experiment: Experiment, name: str, seed: int, config: Path) -> Stage:
    def place(stage: str) -> str:
        return f'{experiment.name}/{experiment.place(stage, seed)}'

    entry = experiment.stages[name]
    weights = entry.get('weights')
    return Stage(
        name=place(name),
        config=config,
        kind=entry.get('kind', 'train'),
        weights=None if weights is None else place(weights),
        seed=0 if name in experiment.shared else seed,
        protocols=tuple(entry.get('protocols', ())),
        needs=tuple(map(place, stages_read(entry.get('options', {})))),
    )
