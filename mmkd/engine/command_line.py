"""The main functions of ``tools/train.py`` and ``tools/test.py``."""

import gc
import os
import time
import warnings
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from mmkd.engine.arguments import test_parser, train_parser
from mmkd.engine.options import merge_test_options, merge_train_options
from mmkd.engine.preflight import check_before_run
from mmkd.errors import UserError, one_line_errors
from mmkd.files import write_json

_LEAD = 10.0  # seconds


def train_main(argv: Sequence[str] | None = None) -> None:
    """Train what a config describes.

    Args:
        argv: Command line without the program. Defaults to that of the process.

    Raises:
        SystemExit: With status 2 and one line on stderr, if the user erred.
    """
    args = train_parser().parse_args(argv)
    with one_error_per_machine(args):
        cfg = read_config(args.config, args.split)
        merge_train_options(cfg, args)
        check_before_run(cfg, 'train')
        runner = build_runner(cfg)
        try:
            runner.train()
        except SystemExit:  # told to stop, and saved
            leave_process_group()
            raise
        leave_process_group()


def test_main(argv: Sequence[str] | None = None) -> None:
    """Test a checkpoint with a config.

    Args:
        argv: Command line without the program. Defaults to that of the process.

    Raises:
        SystemExit: With status 2 and one line on stderr, if the user erred.
    """
    args = test_parser().parse_args(argv)
    with one_error_per_machine(args):
        cfg = read_config(args.config, args.split)
        merge_test_options(cfg, args)
        check_before_run(cfg, 'test')
        figures = build_runner(cfg).test()
        if args.json and _is_first():
            write_json(args.json, {name: float(x) for name, x in figures.items()})
        leave_process_group()


def read_config(path: str, split: int | None = None) -> Config:
    """Read a config.

    Args:
        path: Config file.
        split: Split of the data set, put into ``MMKD_SPLIT`` for the config to read.
            None leaves the variable as it is.

    Raises:
        UserError: If the file is missing or cannot be read as a config.
    """
    if split is not None:
        os.environ['MMKD_SPLIT'] = str(split)
    if not Path(path).is_file():
        raise UserError(f'config {path} does not exist', _similar_files(path))
    try:
        return Config.fromfile(path)
    except FileNotFoundError as error:
        raise UserError(f'config {path} builds on a missing file: {error}') from error
    except SyntaxError as error:
        raise UserError(f'config {path}: {error}') from error


def build_runner(cfg: Config) -> Runner:
    """Build the runner that ``cfg.runner_type`` names, or the default one."""
    # Here, because it imports torch and the models.
    from mmaction.registry import RUNNERS

    from mmkd.engine.runner import CalmRunner

    if _is_first():
        print(f'{cfg.filename} -> {cfg.work_dir}', flush=True)
    return RUNNERS.build(cfg) if 'runner_type' in cfg else CalmRunner.from_cfg(cfg)


def leave_process_group() -> None:
    """Wait for the other processes and take the group down, if there is one.

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
    _silence_upstream()
    with one_line_errors():
        try:
            yield
        except UserError:
            # The launcher ends all processes once the first of them has said why. One
            # that outlives the wait has an error of its own.
            if os.environ['LOCAL_RANK'] != '0':
                time.sleep(_LEAD)
            raise


def _silence_upstream() -> None:
    """Keep warnings that nobody can act on away from the console."""
    # Several processes: a thread count, and an argument of MMEngine to torch.
    warnings.filterwarnings('ignore', message='Setting (OMP|MKL)_NUM_THREADS')
    warnings.filterwarnings('ignore', message='`broadcast_buffers` is deprecated')


def _is_first() -> bool:
    return os.environ.get('RANK', os.environ.get('SLURM_PROCID', '0')) == '0'


def _similar_files(path: str) -> str:
    names = [str(p) for p in Path(path).parent.glob('*.py')]
    similar = get_close_matches(path, names, n=3)
    return f'Did you mean {" or ".join(similar)}?' if similar else ''
