"""Checks before a run is built, so that a mistake costs a second and leaves nothing."""

from typing import Literal

from mmengine.config import Config

from mmkd.engine.preflight.arguments import check_arguments
from mmkd.engine.preflight.checkpoints import check_checkpoints
from mmkd.engine.preflight.datasets import check_datasets
from mmkd.engine.preflight.part_maps import check_part_maps
from mmkd.engine.preflight.work_dir import check_work_dir
from mmkd.errors import UserError

_LOADERS = {
    'train': ('train_dataloader', 'val_dataloader'),
    'test': ('test_dataloader',),
}


def check_before_run(cfg: Config, mode: Literal['train', 'test']) -> None:
    """Check what a run needs before anything is built or written.

    In this order: the arguments of this package's types, the checkpoints to load, the
    lists of clips and the files they name, part maps, and, to train, the work folder.

    Args:
        cfg: The complete config, options of the command line included.
        mode: Which data loaders are about to be used.

    Raises:
        UserError: At the first mistake, with the place and what to do.
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
    check_checkpoints(cfg)
    check_datasets(cfg, _LOADERS[mode])
    check_part_maps(cfg, _LOADERS[mode])
    if mode == 'train' and cfg.get('work_dir'):
        check_work_dir(cfg.work_dir)


__all__ = ['check_before_run']
