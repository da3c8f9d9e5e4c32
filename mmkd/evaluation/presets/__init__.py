"""Protocols by name: one file each, which says all that it lays down."""

from mmkd.evaluation.presets.ours import OURS
from mmkd.evaluation.presets.pcl import PCL
from mmkd.evaluation.presets.preset import Preset, Selection
from mmkd.evaluation.presets.rspnet import RSPNET
from mmkd.evaluation.presets.vcop import VCOP

PRESETS = {preset.name: preset for preset in (OURS, VCOP, PCL, RSPNET)}

__all__ = ['PRESETS', 'Preset', 'Selection']
