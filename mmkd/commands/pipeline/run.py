"""Run the stages of a pipeline in their order, and continue where it stopped."""

import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from mmkd.commands.pipeline.children import Children
from mmkd.commands.pipeline.inputs import check_inputs
from mmkd.commands.pipeline.stage import Stage, stage_command
from mmkd.commands.pipeline.state import StageState, checkpoint_of, read_state
from mmkd.errors import UserError
from mmkd.files import read_json
from mmkd.locks import LOCK, locked_folder

LOG = 'output.log'


def run_pipeline(
    stages: list[Stage],
    tools: Path,
    work_dir: Path,
    processes: int = 1,
    jobs: int = 1,
    deadline: float | None = None,
    lock: str = LOCK,
) -> dict[str, StageState]:
    """Run every stage that is not done yet, and return the state of each by name.

    Each stage has the folder ``work_dir/<name>`` and runs in a process of its own. A
    training that was interrupted resumes from its last checkpoint.

    Args:
        stages: In the order in which they run.
        tools: Folder of ``train.py``, ``test.py`` and ``evaluate.py``.
        work_dir: Folder of the pipeline.
        processes: Processes per training stage.
        jobs: Stages that run at a time, where they do not need each other. With more
            than one, what a stage prints goes into ``output.log`` in its folder.
        deadline: When to let the running stages save and stop, on the clock of
            ``time.monotonic``. None: never.
        lock: File in ``work_dir`` that is locked, so that one runs at a time.

    Raises:
        UserError: If a stage fails, was started before with other settings, or would
            feed a network another input than its weights were trained with; or if
            another pipeline runs in ``work_dir``.
        Stopped: If it was told to stop, or the deadline came.
    """
    check_inputs(stages)
    with locked_folder(work_dir, 'pipeline', lock), Children(deadline) as children:
        states = _read_states(stages, work_dir)
        run = _Run(stages, states, tools, work_dir, processes, jobs, children)
        run_scheduled(run.needs(), run.stage, jobs)
    return states


def _read_states(stages: list[Stage], work_dir: Path) -> dict[str, StageState]:
    states: dict[str, StageState] = {}
    for stage in stages:
        before = [
            states[name].fingerprint if name in states else ''
            for name in (stage.weights, stage.teacher)
        ]
        folder = work_dir / stage.name
        states[stage.name] = read_state(folder, stage.fingerprint(*before))
    return states


@dataclass
class _Run:
    """One start of a pipeline."""

    stages: list[Stage]
    states: dict[str, StageState]
    tools: Path
    work_dir: Path
    processes: int
    jobs: int
    children: Children

    def __post_init__(self) -> None:
        self.console = Console()
        self.indices = {stage.name: i for i, stage in enumerate(self.stages)}

    def needs(self) -> dict[str, set[str]]:
        """Return for each stage those that it starts from or reads."""
        return {
            stage.name: {stage.weights or '', stage.teacher or '', *stage.needs}
            & self.indices.keys()
            for stage in self.stages
        }

    def stage(self, name: str) -> None:
        """Run a stage unless it is done; if it fails, the others stop too."""
        index = self.indices[name]
        title = f'stage {index + 1} of {len(self.stages)}: {name}'
        if self.states[name].done:
            self.console.print(f'{title}, done before', style='dim')
            return
        self.console.rule(title)
        try:
            self._run(self.stages[index])
        except UserError as error:
            self.children.stop(error)
            raise

    def _run(self, stage: Stage) -> None:
        folder, state = self.work_dir / stage.name, self.states[stage.name]
        weights = self._checkpoint(stage.weights, stage.epoch)
        teacher = self._checkpoint(stage.teacher)
        command = stage_command(
            stage, self.tools, folder, weights, self.processes, teacher
        )
        state.write(folder)
        log = folder / LOG if self.jobs > 1 else None
        start = time.monotonic()
        try:
            code = self.children.run(command, log)
            state.done = code == 0
        finally:
            state.seconds += time.monotonic() - start
            if state.done:
                state.metrics = _metrics(folder / 'metrics.json')
            state.write(folder)
        if not state.done:
            where = log or 'the lines above'
            raise UserError(
                f'stage {stage.name!r} ended with status {code}',
                f'See {where}; the same command continues from there.',
            )

    def _checkpoint(
        self, source: str | None, epoch: int | None = None
    ) -> Path | str | None:
        """Return the checkpoint of a stage; a file or ``mmkd://NAME`` as it is."""
        if source in self.states:
            return checkpoint_of(self.work_dir / source, epoch)
        return source


def _metrics(path: Path) -> dict[str, float]:
    """Return of evaluate.py's report only the metrics: its file keeps the records."""
    try:
        report = read_json(path) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise UserError(f'{path} cannot be read ({error})') from error
    items = report.items() if isinstance(report, dict) else ()
    return {k: v for k, v in items if isinstance(v, (int, float))}


def run_scheduled(
    needs: Mapping[str, Collection[str]], work: Callable[[str], None], jobs: int
) -> None:
    """Do every piece of work once, up to ``jobs`` at a time, in threads.

    Of those that are ready the first ones start, so that one job keeps the order.

    Args:
        needs: For each piece, the pieces that must be done before.
        work: Does a piece, given its name.
        jobs: How many run at a time.

    Raises:
        BaseException: What a piece raised, once those that run have ended.
        ValueError: If pieces wait for each other, or for one that is not there.
    """
    waiting = dict(needs)
    running: dict[Future[None], str] = {}
    done: set[str] = set()
    with ThreadPoolExecutor(jobs) as pool:
        while waiting or running:
            ready = [name for name in waiting if done.issuperset(waiting[name])]
            for name in ready[: jobs - len(running)]:
                del waiting[name]
                running[pool.submit(work, name)] = name
            if not running:
                raise ValueError(f'{sorted(waiting)} wait for what never comes')
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                future.result()
                done.add(running.pop(future))
