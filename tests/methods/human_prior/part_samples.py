"""Samples with part maps, made without a video."""

import numpy as np

from mmkd.methods.human_prior.part_maps.cache import map_path
from mmkd.methods.human_prior.part_maps.identity import claim
from tests.methods.human_prior.part_maps.made_maps import IDENTITY, data


def make_cache(folder):
    """Write a cache of ``a/b.avi``: 9 frames of 24 x 32, maps of frames 1, 4 and 7."""
    claim(folder, IDENTITY)
    path = map_path(folder, 'a/b.avi')
    path.parent.mkdir(parents=True)
    path.write_bytes(data())
    return str(folder)


def sampled(frame_inds, views=1, **more):
    """Return what a sampler leaves."""
    return {
        'filename': 'videos/a/b.avi',
        'total_frames': 9,
        'frame_inds': np.array(frame_inds),
        'num_clips': views,
        'clip_len': len(frame_inds) // views,
        'modality': 'RGB',
        **more,
    }


def decoded(results, height=24, width=32):
    """Add frames."""
    count = len(results['frame_inds'])
    shape = (height, width)
    imgs = [np.zeros((*shape, 3), np.uint8) for _ in range(count)]
    results.update(imgs=imgs, original_shape=shape, img_shape=shape)
    return results
