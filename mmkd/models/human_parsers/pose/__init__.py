"""Networks of mmpose as human parsers; mmpose is needed only when one is built."""

from mmkd.models.human_parsers.pose.parser import PoseParser

__all__ = ['PoseParser']
