"""SCHP: a ResNet-101 human parser, rebuilt without compiled code."""

from mmkd.models.human_parsers.schp.network import SCHPLogits, SCHPNetwork
from mmkd.models.human_parsers.schp.parser import SCHP

__all__ = ['SCHP', 'SCHPLogits', 'SCHPNetwork']
