"""BodyPix: a small parser of 24 body parts."""

from mmkd.models.human_parsers.bodypix.network import BodyPixNetwork
from mmkd.models.human_parsers.bodypix.parser import BodyPix

__all__ = ['BodyPix', 'BodyPixNetwork']
