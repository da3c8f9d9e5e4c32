"""Speed and memory, each figure beside a reference on the same work."""

from mmkd.benchmark.figures import Figures, Ratio
from mmkd.benchmark.rounds import interleave

__all__ = ['Figures', 'Ratio', 'interleave']
