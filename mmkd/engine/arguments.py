"""The options of ``tools/train.py`` and ``tools/test.py``.

They are those of MMAction2, with the same meaning, and ``--split``,
``--visualizer`` and ``--json``.
"""

import argparse
from pathlib import Path

from mmengine.config import DictAction

from mmkd.engine.visualizers import VISUALIZERS


def train_parser() -> argparse.ArgumentParser:
    """Return the parser of ``tools/train.py``."""
    parser = argparse.ArgumentParser(description='Train a model from a config')
    _add_config(parser)
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
        '--visualizer',
        choices=list(VISUALIZERS),
        help='show the curves in TensorBoard or Weights & Biases, too',
    )
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
    _add_config(parser)
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


def config_path(text: str) -> str:
    """Return the path of a config; ``mmkd::auxskd/r3d_k100.py`` is one of ours."""
    if not text.startswith('mmkd::'):
        return text
    folder = Path(__file__).parents[1] / '.mim' / 'configs'
    return str(folder / text.removeprefix('mmkd::'))


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'config',
        type=config_path,
        help='config file; mmkd::NAME is one that is installed with mmkd',
    )


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
