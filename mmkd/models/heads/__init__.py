"""Small parts between a backbone and a loss."""

from mmkd.models.heads.pooling import pool_map
from mmkd.models.heads.projection import Projection, mlp

__all__ = ['Projection', 'mlp', 'pool_map']
