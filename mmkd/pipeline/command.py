"""The command line that a stage runs."""

import sys
from pathlib import Path

from mmkd.pipeline.stage import Stage

MODULES = {
    'train': 'mmkd.engine.train',
    'test': 'mmkd.engine.test',
    'evaluate': 'mmkd.evaluation.command_line',
}


def launcher(processes: int) -> list[str]:
    """Return what starts a module on one or several processes of this machine."""
    if processes == 1:
        return [sys.executable, '-m']
    run = [sys.executable, '-m', 'torch.distributed.run', '--standalone']
    return [*run, f'--nproc_per_node={processes}', '-m']


def stage_command(
    stage: Stage, folder: Path, weights: Path | None, processes: int
) -> list[str]:
    """Return the arguments of the child process; no shell is involved.

    Args:
        stage: The stage.
        folder: Its folder, which becomes the work_dir.
        weights: Checkpoint it starts from, if any.
        processes: Processes of a training or a test; an evaluation has one.
    """
    distributed = processes > 1 and stage.kind != 'evaluate'
    command = launcher(processes if distributed else 1)
    command += [MODULES[stage.kind], str(stage.config)]
    options = dict(stage.options)
    if stage.kind == 'train':
        command += ['--work-dir', str(folder), '--seed', str(stage.seed)]
        if weights is not None:
            options['load_from'] = str(weights)
        if (folder / 'last_checkpoint').exists():
            command += ['--resume']
    else:
        command += [str(weights) if weights else 'random']
        command += ['--json', str(folder / 'metrics.json')]
    if stage.kind == 'test':
        command += ['--work-dir', str(folder)]
    if stage.protocols:
        command += ['--protocols', *stage.protocols]
    if distributed:
        command += ['--launcher', 'pytorch']
    if options:
        command += ['--cfg-options', *(f'{k}={v}' for k, v in options.items())]
    return command
