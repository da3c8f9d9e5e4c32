"""A parser that reads labels out of grey levels, and videos that show labels so."""

import time
from pathlib import Path

import numpy as np
import torch

from mmkd.datasets.video_file import write_video
from mmkd.models.human_parsers import HumanParser
from mmkd.part_labels import LabelSet
from mmkd.registry import MODELS

STEP = 20
NAMES = ('background', *(f'{s}_{p}' for p in 'abcde' for s in ('left', 'right')))
LABELS = LabelSet('gray', NAMES, tuple((n, n + 1) for n in range(1, 11, 2)))


@MODELS.register_module(force=True)
class GrayParser(HumanParser):
    """Grey level 20 n is label n. It may be slow, and another ``version``."""

    def __init__(self, version=1, seconds=0.0):
        super().__init__(LABELS, {'version': version})
        self.seconds = seconds

    def probabilities(self, frames):
        time.sleep(self.seconds)
        label = labels_of(frames.permute(0, 2, 3, 1).cpu().numpy())
        one_hot = torch.eye(len(LABELS))[torch.from_numpy(label)]
        return one_hot.permute(0, 3, 1, 2)


def labels_of(pictures):
    """Read labels ``(..., H, W)`` from pictures ``(..., H, W, 3)``."""
    gray = pictures.astype(np.float32).mean(-1)
    return (gray / STEP).round().clip(0, len(LABELS) - 1).astype(np.int64)


def make_labels(frames, height, width, cell, seed=0):
    """Return random labels ``(T, H, W)``, constant in squares of ``cell`` pixels."""
    shape = (frames, height // cell, width // cell)
    cells = np.random.default_rng(seed).integers(0, len(LABELS), shape)
    return cells.repeat(cell, 1).repeat(cell, 2)


def show_labels(path, labels):
    """Write a nearly lossless video that shows labels as grey levels."""
    gray = (labels * STEP).astype(np.uint8)
    write_video(path, np.repeat(gray[..., None], 3, -1), quality=0)
    return path


def write_config(folder, **options):
    """Write a config file of the parser."""
    path = Path(folder) / 'gray.py'
    arguments = ''.join(f', {k}={v!r}' for k, v in options.items())
    path.write_text(
        f"custom_imports = dict(imports=['{__name__}'])\n"
        f"parser = dict(type='mmkd.GrayParser'{arguments})\n"
    )
    return path


def write_videos(folder, count, frames=9, size=32):
    """Write small videos below ``folder/videos`` and the list of them."""
    names = []
    for number in range(count):
        name = f'{"ab"[number % 2]}/{number}.mp4'
        labels = make_labels(frames + number, size, size, 8, seed=number)
        show_labels(Path(folder) / 'videos' / name, labels)
        names.append(name)
    (Path(folder) / 'list.txt').write_text(''.join(f'{n} -1\n' for n in names))
    return names
