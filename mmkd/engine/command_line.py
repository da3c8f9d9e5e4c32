"""Run ``tools/train.py`` and ``tools/test.py``."""

import gc
import os
import time
import warnings
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from mmkd.config_files import read_config
from mmkd.engine.options import (
    merge_test_options,
    merge_train_options,
    test_parser,
    train_parser,
)
from mmkd.engine.preflight import check_before_run
from mmkd.engine.preflight.arguments import check_names
from mmkd.error_lines import as_started, building, one_line_errors
from mmkd.errors import UserError
from mmkd.files import write_json
from mmkd.last_checkpoint import checkpoint_folder, named_checkpoint
from mmkd.locks import locked_folder
from mmkd.processes import end_with_parent, is_first_process

_LEAD = 10.0  # seconds
_RANKS = {
    'pytorch': ('RANK',),
    'slurm': ('SLURM_PROCID',),
    'mpi': ('OMPI_COMM_WORLD_RANK', 'PMI_RANK'),
}


def train_main(argv: Sequence[str] | None = None) -> None:
    """Train the model of a config."""
    args = train_parser().parse_args(argv)
    with one_error_per_machine(args):
        cfg = read_config(args.config, args.split)
        check_names(cfg)
        merge_train_options(cfg, args)
        check_before_run(cfg, 'train')
        with locked_work_dir(cfg):
            runner = build_runner(cfg)
            if args.resume == 'auto' and not cfg.resume:
                runner.logger.info(
                    f'--resume: there is no checkpoint in {cfg.work_dir}, so this run '
                    'begins at step 0'
                )
            try:
                runner.train()
            except SystemExit:  # told to stop, and saved
                leave_process_group()
                raise
            if line := what_is_next(cfg):
                runner.logger.info(as_started(line))
            leave_process_group()


def what_is_next(cfg: Config) -> str | None:
    """Name the checkpoint that a training left, and a command to go on with.

    Returns:
        One line; None if the training left no checkpoint.
    """
    path = named_checkpoint(cfg.work_dir, checkpoint_folder(cfg))
    if path is None:
        return None
    if cfg.get('test_dataloader'):
        return f'written: {path}; next: python tools/test.py {cfg.filename} {path}'
    return (
        f'written: {path}; next: python tools/train.py CONFIG --cfg-options '
        f'load_from={path} or python tools/evaluate.py CONFIG {path}, where CONFIG is '
        'one of configs/finetune with this network'
    )


def test_main(argv: Sequence[str] | None = None) -> None:
    """Test a checkpoint with a config."""
    args = test_parser().parse_args(argv)
    with one_error_per_machine(args):
        cfg = read_config(args.config, args.split)
        check_names(cfg)
        merge_test_options(cfg, args)
        check_before_run(cfg, 'test')
        metrics = build_runner(cfg).test()
        if args.json and is_first_process():
            write_json(args.json, {name: float(x) for name, x in metrics.items()})
        leave_process_group()


def build_runner(cfg: Config) -> Runner:
    """Build the runner that ``cfg.runner_type`` names, or the default one."""
    # Here, because it imports torch and the models.
    from mmaction.registry import RUNNERS

    from mmkd.engine.runner import ResumableRunner

    if is_first_process():
        print(f'{cfg.filename} -> {cfg.work_dir}', flush=True)
    with building(f'the run of {cfg.filename}'):
        return (
            RUNNERS.build(cfg)
            if 'runner_type' in cfg
            else ResumableRunner.from_cfg(cfg)
        )


def locked_work_dir(cfg: Config) -> AbstractContextManager[None]:
    """Hold the work folder of a training, on the first of its processes."""
    folder, launcher = cfg.get('work_dir'), cfg.get('launcher', 'none')
    # The processes have not met yet.
    first = all(os.environ.get(name, '0') == '0' for name in _RANKS.get(launcher, ()))
    if not folder or '://' in folder or not first:
        return nullcontext()
    return locked_folder(Path(folder))


def leave_process_group() -> None:
    """Wait for the other processes and destroy the process group, if there is one.

    A process that ends while the first one still writes the last checkpoint, or with
    the threads of its group alive, makes the launcher end the others half-way.
    """
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.barrier()
        gc.collect()  # the wrapped model holds the group as well
        distributed.destroy_process_group()


@contextmanager
def one_error_per_machine(args: Namespace) -> Iterator[None]:
    """Report a user's error once, however many processes meet it."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    # Nobody can act on them. Several processes: a thread count, and an argument of
    # MMEngine to torch.
    warnings.filterwarnings('ignore', message='Setting (OMP|MKL)_NUM_THREADS')
    warnings.filterwarnings('ignore', message='`broadcast_buffers` is deprecated')
    end_with_parent()
    with one_line_errors():
        try:
            yield
        except UserError:
            # The launcher ends all processes once the first of them has said why. One
            # that outlives the wait has an error of its own.
            if os.environ['LOCAL_RANK'] != '0':
                time.sleep(_LEAD)
            raise
