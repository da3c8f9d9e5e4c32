"""Conversion of officially released checkpoints."""

from mmkd.zoo.convert.converter import AUTO, Conversion, convert_checkpoint
from mmkd.zoo.convert.kinds import KINDS, Kind

__all__ = ['AUTO', 'KINDS', 'Conversion', 'Kind', 'convert_checkpoint']
