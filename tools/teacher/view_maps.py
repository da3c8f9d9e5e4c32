"""Show the part maps over the augmented clips of a training config.

Example: python tools/teacher/view_maps.py configs/tiny/human_prior_r3d_synthetic.py
maps.png --videos 3
"""

import argparse
import random
from pathlib import Path

import numpy as np

from mmkd.datasets.synthetic.video_file import write_video
from mmkd.engine.command_line import read_config
from mmkd.errors import UserError, one_line_errors
from mmkd.visualization.part_sheet import (
    contact_sheet,
    label_set_of,
    samples,
    sheet_frames,
)
from mmkd.visualization.small_png import write_small_png

FPS = 8.0


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='training config with mmkd.LoadPartMaps')
    parser.add_argument('out', type=Path, help='.png: contact sheet, .mp4: film')
    parser.add_argument('--videos', type=int, default=2, help='default: %(default)s')
    parser.add_argument('--columns', type=int, default=6, help='frames of a row')
    parser.add_argument('--seed', type=int, default=0, help='of the augmentation')
    args = parser.parse_args(argv)
    with one_line_errors():
        show(args)


def show(args: argparse.Namespace) -> None:
    if args.out.suffix not in ('.png', '.mp4'):
        raise UserError(f'{args.out} is neither .png nor .mp4', 'Name one.')
    if min(args.videos, args.columns) < 1:
        raise UserError('nothing to show', 'Give at least one video and column.')
    cfg = read_config(args.config)
    label_set = label_set_of(cfg)
    random.seed(args.seed)
    np.random.seed(args.seed)
    shown = list(samples(cfg, args.videos))
    if args.out.suffix == '.png':
        sheet = contact_sheet(shown, label_set, args.columns)
        size = write_small_png(args.out, sheet)
        print(f'{args.out}: {len(shown)} videos, {size} bytes')
        return
    frames = np.stack(list(sheet_frames(shown, label_set)))
    even = ((0, 0), (0, frames.shape[1] % 2), (0, frames.shape[2] % 2), (0, 0))
    write_video(args.out, np.pad(frames, even, constant_values=255), fps=FPS)
    print(f'{args.out}: {len(shown)} videos, {len(frames)} frames')


if __name__ == '__main__':
    main()
