"""What each task reads of the encoder: one feature for all, or one of its own."""

from mmkd.models.representations.own_last_stage import OwnLastStage
from mmkd.models.representations.shared_feature import SharedFeature
from mmkd.models.representations.split_channels import SplitChannels

__all__ = ['OwnLastStage', 'SharedFeature', 'SplitChannels']
