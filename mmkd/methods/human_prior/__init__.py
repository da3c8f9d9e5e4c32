"""Human prior: distil a frozen human parser beside the contrast."""

from mmkd.methods.human_prior.load_part_maps import AlignPartMaps, LoadPartMaps
from mmkd.methods.human_prior.own_representations import OwnLastStage, SplitChannels
from mmkd.methods.human_prior.parsing_preprocessor import ParsingPreprocessor
from mmkd.methods.human_prior.part_shares import (
    part_distribution,
    person_weights,
    pool_parts,
)
from mmkd.methods.human_prior.task import ParsingDistill

__all__ = [
    'AlignPartMaps',
    'LoadPartMaps',
    'OwnLastStage',
    'ParsingDistill',
    'ParsingPreprocessor',
    'SplitChannels',
    'part_distribution',
    'person_weights',
    'pool_parts',
]
