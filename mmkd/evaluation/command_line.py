"""The command line of ``tools/evaluate.py``."""

import argparse
from pathlib import Path

from mmengine.config import DictAction
from mmengine.logging import MMLogger

from mmkd.engine.command_line import read_config
from mmkd.engine.preflight.arguments import check_arguments
from mmkd.engine.preflight.datasets import check_datasets
from mmkd.engine.runner import calm
from mmkd.errors import one_line_errors
from mmkd.evaluation.evaluate import PROTOCOLS, evaluate
from mmkd.files import write_json


def parse_args() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description='Evaluate a video backbone.')
    parser.add_argument(
        'config', help='a fine-tuning config: its lists, its test clips'
    )
    parser.add_argument(
        'checkpoint',
        help="file with backbone.* tensors; 'random' for untrained weights",
    )
    parser.add_argument(
        '--protocols', nargs='+', choices=list(PROTOCOLS), default=list(PROTOCOLS)
    )
    parser.add_argument('--split', type=int, help='split of the data set')
    parser.add_argument('--json', type=Path, help='write the figures to this file')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def main() -> None:
    """Evaluate, print the figures, and write them where asked."""
    args = parse_args()
    with one_line_errors():
        cfg = read_config(args.config, args.split)
        cfg.merge_from_dict(args.cfg_options or {})
        check_arguments(cfg)
        check_datasets(cfg, ('train_dataloader', 'test_dataloader'))
        # MMEngine logs to whatever logger was made last: how each tensor started.
        calm(MMLogger.get_instance('evaluate', log_level='WARNING'))
        checkpoint = None if args.checkpoint == 'random' else args.checkpoint
        figures = evaluate(cfg, checkpoint, args.protocols)
        if args.json:
            write_json(args.json, figures)
        print('  '.join(f'{name} {value:.1f} %' for name, value in figures.items()))


if __name__ == '__main__':
    main()
