"""Draw the views of a pre-training config, as its sampler and augmentation make them.

Called by ``tools/data/view_samples.py``.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmkd.argument_parser import ArgumentParser, positive
from mmkd.commands.part_overlay import stack, titled_row
from mmkd.commands.part_sheet import write_small_png
from mmkd.engine.command_line import read_config
from mmkd.error_lines import one_line_errors
from mmkd.errors import UserError
from mmkd.seeding import drawing_from

_HEIGHT = 84  # pixels of a frame in the picture


def main(argv: list[str] | None = None) -> None:
    """Write a picture of what a training config shows its network."""
    parser = ArgumentParser(
        description='Show the views and labels that a pre-training config makes.'
    )
    parser.add_argument('config', help='pre-training config')
    parser.add_argument('out', type=Path, help='picture to write, .png')
    add = parser.add_argument
    add('--videos', type=positive, default=1, help='default: %(default)s')
    add('--columns', type=positive, default=8, help='frames of a view')
    parser.add_argument('--seed', type=int, default=0, help='of every draw')
    args = parser.parse_args(argv)
    with one_line_errors():
        _show(args)


def _show(args: argparse.Namespace) -> None:
    if args.out.suffix != '.png':
        raise UserError(f'{args.out} is no .png', 'Name one.')
    cfg = read_config(args.config)
    if not cfg.get('train_dataloader'):
        raise UserError(f'{args.config} trains nothing', 'Name one that trains.')
    rows = view_rows(cfg, args.videos, args.columns, args.seed)
    size = write_small_png(args.out, stack(rows))
    print(f'{args.out}: {len(rows)} views, {size} bytes')


def view_rows(cfg: Config, videos: int, columns: int, seed: int) -> list[np.ndarray]:
    """Draw a row for each view of the first videos of a config's training data.

    Args:
        cfg: Training config whose data set packs views ``(M, 3, T, H, W)``.
        videos: Number of videos.
        columns: Frames of a row, spread evenly over the view.
        seed: Seed of the sampler and of the augmentation.

    Returns:
        RGB uint8 ``(h, w, 3)`` each: frames below a line with the labels of the view.

    Raises:
        UserError: If the config does not pack views.
    """
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    with drawing_from(seed):
        samples = [dataset[index] for index in range(min(videos, len(dataset)))]
    rows = []
    for packed in samples:
        views = packed['inputs']
        if views.ndim != 5 or views.shape[1] != 3:
            raise UserError(
                f'{cfg.filename} packs no views', 'Name a config of pre-training.'
            )
        labels = packed['data_samples'].get('view_labels')
        named = {} if labels is None else dict(labels.items())
        # One view: (3, T, H, W); pictures want the channels last.
        for view, clip in enumerate(views.permute(0, 2, 3, 4, 1).numpy()):
            rows.append(titled_row(_frames(clip, columns), _title(view, named)))
    return rows


def _frames(clip: np.ndarray, columns: int) -> Sequence[np.ndarray]:
    """Return frames of a clip ``(T, H, W, 3)``, spread evenly, at one height."""
    times = np.linspace(0, len(clip) - 1, min(columns, len(clip))).round().astype(int)
    zoom = _HEIGHT / clip.shape[1]
    size = (round(clip.shape[2] * zoom), _HEIGHT)
    return [cv2.resize(clip[t], size, interpolation=cv2.INTER_AREA) for t in times]


def _title(view: int, labels: dict[str, Any]) -> str:
    """Name a view and its labels; -100 is a label that nobody can know."""
    known = {k: int(v[view]) for k, v in labels.items() if int(v[view]) != -100}
    told = ', '.join(f'{name} {value}' for name, value in known.items())
    return f'view {view}' + (f': {told}' if told else '')
