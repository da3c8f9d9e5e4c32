"""A shard of part maps of a video that there need not be."""

import numpy as np

from mmkd.datasets.shards import encode_shard
from mmkd.methods.human_prior.part_maps.cache import VideoFacts, facts_and_arrays
from mmkd.methods.human_prior.part_maps.identity import CacheIdentity
from tests.methods.human_prior.part_maps.gray_parser import LABELS

IDENTITY = CacheIdentity({'name': 'Gray', 'weights': 'ab'}, LABELS, size=4, stride=3)
VIDEO = VideoFacts('a/b.avi', 1234, '0' * 64, 9, 25.0, 24, 32)
MAPS = np.random.default_rng(0).integers(0, 11, (3, 4, 4)).astype(np.uint8)
FRAMES = (1, 4, 7)


def data(identity=IDENTITY, video=VIDEO, maps=MAPS, frames=FRAMES):
    """Return the bytes of the file."""
    return encode_shard(
        *facts_and_arrays(identity, video, frames, (0.0, 0.25, 1.0), maps)
    )
