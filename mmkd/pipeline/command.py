"""The command line that a stage runs."""

import sys
from pathlib import Path

from mmkd.pipeline.stage import Stage

SCRIPTS = {'train': 'train.py', 'test': 'test.py', 'evaluate': 'evaluate.py'}


def launcher(processes: int) -> list[str]:
    """Return what starts a script on one or several processes of this machine."""
    if processes == 1:
        return [sys.executable]
    run = [sys.executable, '-m', 'torch.distributed.run', '--standalone']
    return [*run, f'--nproc_per_node={processes}']


def stage_command(
    stage: Stage,
    tools: Path,
    folder: Path,
    weights: Path | str | None,
    processes: int,
    teacher: Path | str | None = None,
) -> list[str]:
    """Return the arguments of the child process; no shell is involved.

    Args:
        stage: The stage.
        tools: Folder of ``train.py``, ``test.py`` and ``evaluate.py``.
        folder: Its folder, which becomes the work_dir.
        weights: Checkpoint it starts from, if any.
        processes: Processes of a training or a test; an evaluation has one.
        teacher: Checkpoint of its teacher, if the pipeline says it.
    """
    distributed = processes > 1 and stage.kind != 'evaluate'
    command = launcher(processes if distributed else 1)
    command += [str(tools / SCRIPTS[stage.kind]), str(stage.config)]
    options = dict(stage.options)
    if stage.kind == 'train':
        command += ['--work-dir', str(folder), '--seed', str(stage.seed)]
        if weights is not None:
            options['load_from'] = str(weights)
        if teacher is not None:
            options['model.teacher.checkpoint'] = str(teacher)
        if (folder / 'last_checkpoint').exists():
            command += ['--resume']
    else:
        command += [str(weights) if weights else 'random']
        command += ['--json', str(folder / 'metrics.json')]
    if stage.kind == 'evaluate':
        command += ['--seed', str(stage.seed)]
    if stage.kind == 'test':
        command += ['--work-dir', str(folder)]
    if stage.protocols:
        command += ['--protocols', *stage.protocols]
    if distributed:
        command += ['--launcher', 'pytorch']
    if options:
        command += ['--cfg-options', *(f'{k}={v}' for k, v in options.items())]
    return command
