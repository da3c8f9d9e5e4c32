"""Data: preparation of lists, synthetic clips, and the transforms of the pipeline."""

from mmkd.datasets import transforms

__all__ = ['transforms']
