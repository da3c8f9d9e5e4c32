"""Parse the options of train and test, and apply them to a config.

They are those of MMAction2, with the same meaning, and ``--split``,
``--visualizer`` and ``--json``.
"""

import os
from argparse import Namespace
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd.argument_parser import ArgumentParser, ConfigOptions
from mmkd.config_files import config_path
from mmkd.engine.cfg_options import merge_cfg_options
from mmkd.errors import UserError
from mmkd.last_checkpoint import checkpoint_folder, latest_checkpoint

# Package, which is the value of the option, and its backend.
VISUALIZERS = {
    'tensorboard': 'TensorboardVisBackend',
    'wandb': 'WandbVisBackend',
    'trackio': 'mmkd.TrackioVisBackend',
    'mlflow': 'MLflowVisBackend',
    'swanlab': 'mmkd.SwanlabVisBackend',
}
_CONFIG = 'config file; mmkd::NAME is one that is installed with mmkd'
_GROUP = 'mmkd.HookGroup'


def train_parser() -> ArgumentParser:
    """Return the parser of ``tools/train.py``."""
    parser = ArgumentParser(description='Train a model from a config')
    add = parser.add_argument
    add('config', type=config_path, help=_CONFIG)
    _add_shared(parser, 'folder for logs and checkpoints')
    add(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint; without a value, from the last one in the '
        'work folder, if there is one',
    )
    add('--amp', action='store_true', help='train in mixed precision')
    add(
        '--visualizer',
        choices=list(VISUALIZERS),
        help='show the curves in this tracker, too; its package must be installed',
    )
    add('--no-validate', action='store_true', help='do not validate while training')
    add(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by the real batch size over that of the config',
    )
    add('--seed', type=int, help='random seed; wins over the config')
    add('--diff-rank-seed', action='store_true', help='another seed in each process')
    add('--deterministic', action='store_true', help='deterministic cuDNN kernels')
    return parser


def test_parser() -> ArgumentParser:
    """Return the parser of ``tools/test.py``."""
    parser = ArgumentParser(description='Test a trained model')
    add = parser.add_argument
    add('config', type=config_path, help=_CONFIG)
    add('checkpoint', help='checkpoint file or address')
    _add_shared(parser, 'folder for logs and metrics')
    add('--json', type=Path, metavar='FILE', help='write the metrics to this file')
    add('--dump', help='write the predictions to this .pkl file')
    add('--show-dir', help='folder for pictures of the predictions')
    add('--show', action='store_true', help='show the predictions in a window')
    add('--interval', type=int, default=1, help='show every n-th sample (default 1)')
    wait = 'seconds that a window stays (default 2)'
    add('--wait-time', type=float, default=2, help=wait)
    return parser


def _add_shared(parser: ArgumentParser, work_dir: str) -> None:
    add = parser.add_argument
    add('--work-dir', help=f'{work_dir} (default: work_dirs/<method>/<config>)')
    add('--split', type=int, metavar='N', help='split of the data set')
    add(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help='override values of the config; lists as key=a,b or key="[a,b]", nested '
        'ones as key="[(a,b),(c,d)]", without blanks',
    )
    add(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes were started (default none: this is the only one)',
    )
    # Launchers up to torch 1.x pass it; torchrun sets the variable LOCAL_RANK.
    add('--local_rank', '--local-rank', type=int, default=0)


def add_visualizer(cfg: Config, name: str) -> None:
    """Add a backend to the visualizer of a config, beside those that it has."""
    if find_spec(name) is None:
        message = f'--visualizer {name}: the package {name} is not installed'
        raise UserError(message, f'Type pip install {name}.')
    backend = VISUALIZERS[name]
    visualizer = cfg.get('visualizer') or {'type': 'Visualizer'}
    backends = list(visualizer.get('vis_backends') or [{'type': 'LocalVisBackend'}])
    if backend not in [entry['type'] for entry in backends]:
        backends.append({'type': backend})
    cfg.visualizer = {**visualizer, 'vis_backends': backends}


def hook_configs(cfg: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the dict of each hook of a config, those in groups one by one.

    What is no dict with a type is passed over: a hook that was taken out, options of
    one of MMEngine's, a hook that is built already.
    """
    default = cfg.get('default_hooks') or {}
    for hook in (*default.values(), *(cfg.get('custom_hooks') or [])):
        if isinstance(hook, Mapping) and hook.get('type') == _GROUP:
            yield from (part for part in hook.values() if isinstance(part, Mapping))
        elif isinstance(hook, Mapping) and 'type' in hook:
            yield hook


def default_work_dir(config: str, split: int | None = None) -> str:
    """Return ``./work_dirs/<method>/<config>`` for ``configs/<method>/<config>.py``.

    Args:
        config: Path of the config. Outside a folder ``configs`` only its stem counts,
            as in MMAction2.
        split: Split of the data set. All but the first get a folder of their own, so
            that one split never resumes from another.
    """
    parts = Path(config).resolve().with_suffix('').parts
    if 'configs' in parts[:-1]:
        last = len(parts) - 1 - parts[::-1].index('configs', 1)
        parts = parts[last + 1 :]
    else:
        parts = parts[-1:]
    suffix = f'_split{split}' if split and split > 1 else ''
    return os.path.join('.', 'work_dirs', *parts) + suffix


def merge_train_options(cfg: Config, args: Namespace) -> None:
    """Apply the options of ``tools/train.py``; ``--cfg-options`` come last and win."""
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        _enable_amp(cfg)
    if args.auto_scale_lr:
        if not cfg.get('auto_scale_lr'):
            raise UserError(
                f'--auto-scale-lr: {cfg.filename} has no auto_scale_lr',
                'Add auto_scale_lr=dict(base_batch_size=...).',
            )
        cfg.auto_scale_lr.enable = True
    _set_randomness(cfg, args)
    if args.visualizer:
        add_visualizer(cfg, args.visualizer)
    _merge_shared(cfg, args)
    if args.resume is not None:
        _resume(cfg, args.resume)


def merge_test_options(cfg: Config, args: Namespace) -> None:
    """Apply the options of ``tools/test.py``."""
    if args.show or args.show_dir is not None:
        _show_predictions(cfg, args)
    if args.dump is not None:
        if not args.dump.endswith(('.pkl', '.pickle')):
            raise UserError(f'--dump {args.dump} is not a .pkl file', 'Rename it.')
        dump = {'type': 'DumpResults', 'out_file_path': args.dump}
        evaluators = cfg.get('test_evaluator') or []
        if not isinstance(evaluators, (list, tuple)):
            evaluators = [evaluators]
        cfg.test_evaluator = [*evaluators, dump]
    _merge_shared(cfg, args)
    cfg.load_from = args.checkpoint
    cfg.resume = False
    if cfg.get('model', {}).get('type') == 'mmkd.Distiller':
        cfg.model.teacher = None  # a test needs the student only
    for hook in hook_configs(cfg):
        if hook['type'] == 'mmkd.LoadReportHook':
            hook.strict = True


def _merge_shared(cfg: Config, args: Namespace) -> None:
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = default_work_dir(args.config, args.split)
    merge_cfg_options(cfg, args.cfg_options)


def _enable_amp(cfg: Config) -> None:
    if cfg.get('optim_wrapper') is None:
        raise UserError(f'--amp: {cfg.filename} has no optim_wrapper', 'Add one.')
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper', 'mmkd.AmpOptimWrapper'):
        raise UserError(
            f'--amp does not work with the optim_wrapper {kind}',
            f'Leave the option out, or set precision in the options of {kind}.',
        )
    cfg.optim_wrapper.type = 'mmkd.AmpOptimWrapper'


def _set_randomness(cfg: Config, args: Namespace) -> None:
    """Change the given options only; MMAction2 drops ``--seed`` in this case."""
    randomness = dict(cfg.get('randomness') or {})
    if args.seed is not None or 'seed' not in randomness:
        randomness['seed'] = args.seed
    for name in ('diff_rank_seed', 'deterministic'):
        if getattr(args, name):
            randomness[name] = True
    cfg.randomness = randomness


def _resume(cfg: Config, source: str) -> None:
    # With nothing to go on from, MMEngine would drop load_from and start from random
    # weights; a first run with --resume must start as it would without.
    found: str | None = source
    if source == 'auto':
        found = latest_checkpoint(cfg.work_dir, checkpoint_folder(cfg))
    cfg.resume = found is not None
    if found is not None:
        cfg.load_from = found


def _show_predictions(cfg: Config, args: Namespace) -> None:
    hooks = cfg.get('default_hooks') or {}
    if 'visualization' not in hooks:
        raise UserError(
            f'--show and --show-dir: {cfg.filename} has no visualization hook',
            "Add default_hooks=dict(visualization=dict(type='VisualizationHook')).",
        )
    cfg.default_hooks.visualization.update(
        enable=True,
        show=args.show,
        wait_time=args.wait_time,
        out_dir=args.show_dir,
        interval=args.interval,
    )
