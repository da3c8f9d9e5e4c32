"""Bring the options of the command line into a config."""

import os
from argparse import Namespace
from pathlib import Path

from mmengine.config import Config

from mmkd.engine.visualizers import add_visualizer
from mmkd.errors import UserError
from mmkd.last_checkpoint import latest_checkpoint


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
    """Apply the options of ``tools/train.py``; ``--cfg-options`` come last and win.

    Raises:
        UserError: If an option does not fit the config or the machine.
    """
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
    """Apply the options of ``tools/test.py``.

    Raises:
        UserError: If an option does not fit the config.
    """
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
    for hook in cfg.get('custom_hooks') or []:
        if hook.get('type') == 'mmkd.LoadReportHook':
            hook.strict = True


def _merge_shared(cfg: Config, args: Namespace) -> None:
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = default_work_dir(args.config, args.split)
    if args.cfg_options:
        try:
            cfg.merge_from_dict(args.cfg_options)
        except (KeyError, TypeError) as error:
            reason = error.args[0] if error.args else error
            what = f'--cfg-options do not fit {args.config}: {reason}'
            raise UserError(what) from error


def _enable_amp(cfg: Config) -> None:
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper', 'mmkd.AmpOptimWrapper'):
        raise UserError(
            f'--amp does not work with the optim_wrapper {kind}',
            f'Leave the option out, or set precision in the options of {kind}.',
        )
    cfg.optim_wrapper.type = 'mmkd.AmpOptimWrapper'


def _set_randomness(cfg: Config, args: Namespace) -> None:
    """Change only what was asked for; MMAction2 drops ``--seed`` in this case."""
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
    checkpoint = latest_checkpoint(cfg.work_dir) if source == 'auto' else source
    cfg.resume = checkpoint is not None
    if checkpoint is not None:
        cfg.load_from = checkpoint


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
