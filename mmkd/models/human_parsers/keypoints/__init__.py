"""Keypoint files as human parsers."""

from mmkd.models.human_parsers.keypoints.keypoint_file import KeypointFile
from mmkd.models.human_parsers.keypoints.parser import KeypointFileParser
from mmkd.models.human_parsers.keypoints.rendering import render_keypoints

__all__ = ['KeypointFile', 'KeypointFileParser', 'render_keypoints']
