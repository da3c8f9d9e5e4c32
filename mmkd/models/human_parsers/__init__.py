"""Human parsers: frozen networks or files that say where which body part is."""

from mmkd.models.human_parsers.bodypix import BodyPix
from mmkd.models.human_parsers.exported import ExportedParser
from mmkd.models.human_parsers.human_parser import HumanParser
from mmkd.models.human_parsers.keypoints import KeypointFileParser
from mmkd.models.human_parsers.label_maps import LabelMapParser
from mmkd.models.human_parsers.pose import PoseParser
from mmkd.models.human_parsers.schp import SCHP

__all__ = [
    'SCHP',
    'BodyPix',
    'ExportedParser',
    'HumanParser',
    'KeypointFileParser',
    'LabelMapParser',
    'PoseParser',
]
