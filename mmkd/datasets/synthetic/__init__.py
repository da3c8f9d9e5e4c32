"""Articulated figures performing actions, rendered to real videos with part maps."""

from mmkd.datasets.synthetic.actions import CLASS_NAMES, REVERSED_PAIRS
from mmkd.datasets.synthetic.dataset import SyntheticSummary, render_dataset
from mmkd.datasets.synthetic.parts import PART_NAMES, flip_table
from mmkd.datasets.synthetic.video_file import read_maps

__all__ = [
    'CLASS_NAMES',
    'PART_NAMES',
    'REVERSED_PAIRS',
    'SyntheticSummary',
    'flip_table',
    'read_maps',
    'render_dataset',
]
