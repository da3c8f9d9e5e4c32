"""Run the stages of a pipeline one after the other, and continue where it stopped."""

import json
import time
from pathlib import Path

from rich.console import Console

from mmkd.errors import UserError
from mmkd.pipeline.child import run_child
from mmkd.pipeline.command import stage_command
from mmkd.pipeline.stage import Stage
from mmkd.pipeline.state import StageState, checkpoint_of, read_state


def run_pipeline(
    stages: list[Stage], tools: Path, work_dir: Path, processes: int = 1
) -> dict[str, StageState]:
    """Run every stage that is not done yet.

    Each stage has the folder ``work_dir/<name>`` and runs in a process of its own. A
    training that was interrupted resumes from its last checkpoint.

    Args:
        stages: In the order in which they run.
        tools: Folder of ``train.py``, ``test.py`` and ``evaluate.py``.
        work_dir: Folder of the pipeline.
        processes: Processes per training stage. Defaults to 1.

    Returns:
        The state of every stage, by name.

    Raises:
        UserError: If a stage fails, or was started before with other settings.
    """
    console = Console()
    states: dict[str, StageState] = {}
    for number, stage in enumerate(stages, start=1):
        folder = work_dir / stage.name
        source = states[stage.weights].fingerprint if stage.weights in states else ''
        state = read_state(folder, stage.fingerprint(source))
        states[stage.name] = state
        title = f'stage {number} of {len(stages)}: {stage.name}'
        if state.done:
            console.print(f'{title}, done before', style='dim')
            continue
        console.rule(title)
        weights = _weights(stage, work_dir, states)
        command = stage_command(stage, tools, folder, weights, processes)
        _run(stage, state, folder, command)
    return states


def _weights(
    stage: Stage, work_dir: Path, states: dict[str, StageState]
) -> Path | None:
    if stage.weights is None:
        return None
    if stage.weights in states:
        return checkpoint_of(work_dir / stage.weights, stage.epoch)
    return Path(stage.weights)


def _run(stage: Stage, state: StageState, folder: Path, command: list[str]) -> None:
    state.write(folder)
    start = time.monotonic()
    code = run_child(command)
    state.seconds += time.monotonic() - start
    state.done = code == 0
    metrics = folder / 'metrics.json'
    if state.done and metrics.exists():
        report = json.loads(metrics.read_text())
        # Of evaluate.py's report only the figures: the records stay in its own file.
        state.metrics = {k: v for k, v in report.items() if isinstance(v, (int, float))}
    state.write(folder)
    if not state.done:
        raise UserError(
            f'stage {stage.name!r} ended with status {code}',
            'See the lines above; the same command continues from there.',
        )
