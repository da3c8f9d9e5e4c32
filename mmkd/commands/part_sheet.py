"""The command line of ``tools/teacher/view_maps.py``: maps over augmented clips."""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from mmkd.argument_parser import ArgumentParser
from mmkd.commands.part_overlay import (
    OUTSIDE,
    legend,
    overlay,
    stack,
    titled_row,
    to_labels,
)
from mmkd.datasets.video_file import write_video
from mmkd.datasets.view_steps import target_loaders
from mmkd.engine.command_line import read_config
from mmkd.error_lines import one_line_errors
from mmkd.errors import UserError
from mmkd.files import replacing
from mmkd.methods.human_prior.load_part_maps import PART_MAPS
from mmkd.methods.human_prior.part_maps import read_identity
from mmkd.part_labels import LabelSet

_HEIGHT = 112  # pixels
_LIMIT = 150_000  # bytes of a picture that goes into a repository
_COLOURS = (256, 128, 64, 32)
_SHRINK = 0.85
_FPS = 8.0
_DESCRIPTION = """Show the part maps over the augmented clips of a training config.

Example: python tools/teacher/view_maps.py configs/tiny/human_prior_r3d_synthetic.py
maps.png --videos 3
"""


def main(argv: list[str] | None = None) -> None:
    """Write a contact sheet, or a film."""
    parser = ArgumentParser(description=_DESCRIPTION)
    add = parser.add_argument
    add('config', help='training config with mmkd.LoadPartMaps')
    add('out', type=Path, help='.png: contact sheet, .mp4: film')
    add('--videos', type=int, default=2, help='default: %(default)s')
    add('--columns', type=int, default=6, help='frames of a row')
    add('--seed', type=int, default=0, help='of the augmentation')
    args = parser.parse_args(argv)
    with one_line_errors():
        _show(args)


def _show(args: argparse.Namespace) -> None:
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
    write_video(args.out, np.pad(frames, even, constant_values=255), fps=_FPS)
    print(f'{args.out}: {len(shown)} videos, {len(frames)} frames')


@dataclass(frozen=True)
class Sample:
    """The clips of one video as training sees them, and their maps."""

    name: str
    frames: np.ndarray  # RGB uint8 (M, T, H, W, 3)
    labels: np.ndarray  # uint8 (M, T, s, s); 255 is outside of the frame
    valid: np.ndarray  # bool (M, T)

    def picture(self, view: int, time: int, label_set: LabelSet) -> np.ndarray:
        """Return one frame with its map, or pale where the map is not valid.

        A small frame is enlarged to about 112 pixels.
        """
        frame = self.frames[view, time]
        zoom = max(1, round(_HEIGHT / len(frame)))
        frame = cv2.resize(frame, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
        if not self.valid[view, time]:
            return (frame // 2 + 127).astype(np.uint8)
        return overlay(frame, self.labels[view, time], label_set)


def label_set_of(cfg: Config) -> LabelSet:
    """Return the label set of the cache that a config's pipeline loads.

    Raises:
        UserError: If it loads none, or the cache is not there.
    """
    dataset = cfg.train_dataloader.dataset
    for load in target_loaders(dataset):
        if str(load.get('type')).endswith('LoadPartMaps'):
            return read_identity(Path(load['cache'])).label_set
    raise UserError(
        f'the training pipeline of {cfg.filename} loads no part maps',
        'Name a config with mmkd.LoadPartMaps.',
    )


def samples(cfg: Config, count: int) -> Iterator[Sample]:
    """Yield the first samples of a config's training data.

    Raises:
        UserError: If their maps are missing or not packed.
    """
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    label_set = label_set_of(cfg)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    for number in range(min(count, len(dataset))):
        packed = dataset[number]
        sample = packed['data_samples']
        if PART_MAPS not in sample.get('targets', ()):
            raise UserError(
                f'{cfg.filename} packs no part maps', 'End with mmkd.PackViews.'
            )
        frames = packed['inputs'].permute(0, 2, 3, 4, 1).numpy()
        target = sample.targets.get(PART_MAPS)
        maps = to_labels(target.maps.numpy(), label_set)
        name = Path(sample.metainfo.get('filename', f'sample {number}')).name
        yield Sample(name, frames, maps, target.valid.numpy())


def contact_sheet(
    samples: Sequence[Sample], label_set: LabelSet, columns: int = 6
) -> np.ndarray:
    """Draw a row for each view, with frames spread over its time.

    Returns:
        RGB uint8 ``(H, W, 3)``, with a legend of the parts that occur.
    """
    rows = []
    for sample in samples:
        views, length = sample.valid.shape
        times = np.linspace(0, length - 1, min(columns, length)).round().astype(int)
        for view in range(views):
            pictures = [sample.picture(view, time, label_set) for time in times]
            rows.append(titled_row(pictures, f'{sample.name}, view {view}'))
    present = parts_of(samples, label_set)
    return stack([*rows, legend(label_set, rows[0].shape[1], present)])


def sheet_frames(
    samples: Sequence[Sample], label_set: LabelSet
) -> Iterator[np.ndarray]:
    """Yield the pictures of a film of all clips at once: a row a video.

    Raises:
        UserError: If the clips of the samples differ in length.
    """
    lengths = {sample.valid.shape[1] for sample in samples}
    if len(lengths) > 1:
        raise UserError(f'clips of {sorted(lengths)} frames', 'Show one video.')
    present = parts_of(samples, label_set)
    for time in range(lengths.pop()):
        rows = [
            titled_row(
                [s.picture(view, time, label_set) for view in range(len(s.valid))],
                s.name,
            )
            for s in samples
        ]
        width = max(row.shape[1] for row in rows)
        yield stack([*rows, legend(label_set, width, present)])


def parts_of(samples: Sequence[Sample], label_set: LabelSet) -> list[int]:
    """Return the parts that occur in valid maps, without the background."""
    found = {int(part) for s in samples for part in np.unique(s.labels[s.valid])} - {
        OUTSIDE,
        label_set.background,
    }
    return sorted(found)


def write_small_png(path: Path, picture: np.ndarray, limit: int = _LIMIT) -> int:
    """Write a picture with a palette, and with as many colours as the limit allows.

    Where even few colours take too much, the picture is made smaller. The file, whose
    size in bytes is returned, is written whole or not at all.

    Raises:
        UserError: If it cannot be written.
    """
    image = Image.fromarray(picture)
    # Small patches of a rare colour, such as those of a legend, keep it.
    method = Image.Quantize.MAXCOVERAGE
    with replacing(path) as temporary:
        while True:
            for colours in _COLOURS:
                small = image.quantize(colours, method, dither=Image.Dither.NONE)
                small.save(temporary, 'PNG', optimize=True)
                size = temporary.stat().st_size
                if size <= limit or min(image.size) < 16:
                    return size
            width, height = (round(_SHRINK * side) for side in image.size)
            image = image.resize((width, height), Image.Resampling.LANCZOS)
