"""Wrappers of optimisers: the precision that a step computes in."""

from mmkd.engine.optim_wrapper.amp import AmpOptimWrapper

__all__ = ['AmpOptimWrapper']
