"""The options of ``tools/train.py`` and ``tools/test.py``.

They are those of MMAction2, with the same meaning, and ``--split`` and ``--json``.
"""

import argparse
from pathlib import Path

from mmengine.config import DictAction


def train_parser() -> argparse.ArgumentParser:
    """Return the parser of ``tools/train.py``."""
    parser = argparse.ArgumentParser(description='Train a model from a config')
    parser.add_argument('config', help='config file')
    _add_shared(parser, 'folder for logs and checkpoints')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint; without a value, from the last one in the '
        'work folder, if there is one',
    )
    parser.add_argument('--amp', action='store_true', help='train in mixed precision')
    parser.add_argument(
        '--no-validate', action='store_true', help='do not validate while training'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by the real batch size over that of the config',
    )
    parser.add_argument('--seed', type=int, help='random seed; wins over the config')
    parser.add_argument(
        '--diff-rank-seed', action='store_true', help='another seed in each process'
    )
    parser.add_argument(
        '--deterministic', action='store_true', help='deterministic cuDNN kernels'
    )
    return parser


def test_parser() -> argparse.ArgumentParser:
    """Return the parser of ``tools/test.py``."""
    parser = argparse.ArgumentParser(description='Test a trained model')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file or address')
    _add_shared(parser, 'folder for logs and metrics')
    parser.add_argument(
        '--json', type=Path, metavar='FILE', help='write the figures to this file'
    )
    parser.add_argument('--dump', help='write the predictions to this .pkl file')
    parser.add_argument('--show-dir', help='folder for pictures of the predictions')
    parser.add_argument(
        '--show', action='store_true', help='show the predictions in a window'
    )
    parser.add_argument(
        '--interval', type=int, default=1, help='show every n-th sample (default 1)'
    )
    parser.add_argument(
        '--wait-time',
        type=float,
        default=2,
        help='seconds that a window stays (default 2)',
    )
    return parser


def _add_shared(parser: argparse.ArgumentParser, work_dir: str) -> None:
    parser.add_argument(
        '--work-dir', help=f'{work_dir} (default: work_dirs/<method>/<config>)'
    )
    parser.add_argument(
        '--split',
        type=int,
        metavar='N',
        help='split of the data set: sets MMKD_SPLIT for the config',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override values of the config; lists as key=a,b or key="[a,b]", nested '
        'ones as key="[(a,b),(c,d)]", without blanks',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes were started (default none: this is the only one)',
    )
    # Launchers up to torch 1.x pass it; torchrun sets the variable LOCAL_RANK.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
