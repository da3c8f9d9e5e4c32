"""Check a config before the run is built, so that a mistake costs a second."""

import sys
from typing import Literal

from mmengine.config import Config

from mmkd.engine.preflight.arguments import check_arguments
from mmkd.engine.preflight.checkpoints import check_checkpoints
from mmkd.engine.preflight.datasets import check_datasets
from mmkd.engine.preflight.pipelines import (
    check_evaluation_pipelines,
    check_targets,
    check_view_slots,
)
from mmkd.engine.preflight.schedules import (
    check_length_of_run,
    check_precision,
    schedule_warnings,
)
from mmkd.engine.preflight.work_dir import (
    check_folder_of_split,
    check_work_dir,
    overwriting_warning,
)
from mmkd.errors import UserError
from mmkd.processes import is_first_process

_LOADERS = {
    'train': ('train_dataloader', 'val_dataloader'),
    'test': ('test_dataloader',),
}


def check_before_run(cfg: Config, mode: Literal['train', 'test']) -> None:
    """Check what a run needs before anything is built or written.

    In this order: the arguments of this package's types, the checkpoints to load, the
    lists of clips and the files they name, the slots of pipelines, to train the
    transforms of validation and test, the numbers of classes, dense targets, and, to
    train, the work folder. What the tasks take from the
    sampler is filled in.

    Args:
        cfg: The complete config, options of the command line included.
        mode: Which data loaders are about to be used.

    Raises:
        UserError: At the first mistake, with its path in the config and what to do.
    """
    for key in ('model', f'{mode}_dataloader', f'{mode}_cfg'):
        if not cfg.get(key):
            raise UserError(
                f'{cfg.filename} has no {key}, so it cannot be used to {mode}',
                'Pre-training configs have no test: use one of configs/finetune.'
                if mode == 'test'
                else '',
            )
    check_arguments(cfg)
    if mode == 'train':
        check_length_of_run(cfg)
    check_precision(cfg, ('val_cfg',) if mode == 'train' else ('test_cfg',))
    check_checkpoints(cfg)
    check_datasets(cfg, _LOADERS[mode])
    check_view_slots(cfg, _LOADERS[mode])
    if mode == 'train':
        check_evaluation_pipelines(cfg)
        # Here, because it imports the models.
        from mmkd.models.label_classes import fill_in_classes

        fill_in_classes(cfg)
    check_targets(cfg, _LOADERS[mode])
    if mode == 'train' and cfg.get('work_dir'):
        check_folder_of_split(cfg)
        check_work_dir(cfg.work_dir)
    if mode == 'train' and is_first_process():
        lines = list(schedule_warnings(cfg))
        if cfg.get('work_dir') and (line := overwriting_warning(cfg)):
            lines.insert(0, line)
        for line in lines:
            print(f'warning: {line}', file=sys.stderr)
