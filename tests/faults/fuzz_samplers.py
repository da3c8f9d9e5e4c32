"""Videos of any length for every sampler, with any options."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from mmkd.datasets.transforms import (
    IGNORE,
    EvenClips,
    ViewSampler,
)
from mmkd.methods.pace import PaceViews
from mmkd.methods.rspnet import RelativeSpeedViews
from mmkd.methods.vcop import ClipOrderViews
from mmkd.methods.vcp import ClipTransformViews
from mmkd.methods.vspp import SegmentPaceViews

LENGTHS = st.one_of(st.integers(1, 40), st.integers(1, 400), st.integers(1, 10**6))
CLIPS = st.one_of(st.integers(1, 40), st.integers(0, 16))
SMALL = st.one_of(st.just(1), st.integers(1, 6), st.integers(0, 6))
SPEEDS = st.lists(st.integers(0, 8), min_size=1, max_size=5, unique=True)
PACES = st.lists(st.sampled_from([0, 0.25, 0.29, 0.5, 1, 2, 3, 7]), max_size=4)
FLAG = st.booleans()
RULE = st.sampled_from(['ours', 'official'])
COUNTED = st.integers(1, 5).map(lambda top: list(range(1, top + 1)))

#: By name: the sampler, its options, and for each label its number of classes.
SAMPLERS: dict[str, tuple[type[ViewSampler], dict[str, Any], Callable[..., Any]]] = {
    'even clips': (
        EvenClips,
        {
            'clip_len': CLIPS,
            'num_clips': SMALL,
            'frame_interval': SMALL,
            'protocol': st.sampled_from(['rspnet', 'vcop']),
        },
        lambda options: (options['num_clips'], {}),
    ),
    'clip order': (
        ClipOrderViews,
        {'clip_len': CLIPS, 'num_clips': SMALL, 'gap': SMALL, 'frame_interval': SMALL},
        lambda options: (
            options['num_clips'],
            {'order': int(np.prod(range(1, options['num_clips'] + 1)))},
        ),
    ),
    'clip transform': (
        ClipTransformViews,
        {'clip_len': CLIPS, 'interval': SMALL, 'rule': RULE},
        lambda options: (3, {'transform': 5}),
    ),
    'pace': (
        PaceViews,
        {
            'clip_len': CLIPS,
            'num_views': SMALL,
            'frame_interval': SMALL,
            'paces': st.one_of(PACES, COUNTED),
            'rule': RULE,
        },
        lambda options: (options['num_views'], {'pace': len(options['paces'])}),
    ),
    'relative speed': (
        RelativeSpeedViews,
        {'clip_len': CLIPS, 'speeds': SPEEDS, 'frame_interval': SMALL},
        lambda options: (3, {'speed': len(options['speeds'])}),
    ),
    'segment pace': (
        SegmentPaceViews,
        {
            'clip_len': CLIPS,
            'num_views': SMALL,
            'num_segments': SMALL,
            'speeds': st.one_of(SPEEDS, COUNTED),
            'rule': RULE,
            'frame_interval': SMALL,
            'label_natural_speed': FLAG,
            'look_ahead': st.one_of(st.none(), st.none(), SMALL),
        },
        lambda options: (
            options['num_views'],
            {'speed': len(options['speeds']), 'segment': options['num_segments']},
        ),
    ),
}


def check_sampler(name: str, options: dict[str, Any], frames: int, seed: int) -> None:
    """Draw from one video, and check every number that comes out.

    Raises:
        UserError: If the options cannot be met.
    """
    kind, _, expect = SAMPLERS[name]
    sampler = kind(**options)
    random.seed(seed)
    results = sampler({'total_frames': frames})
    views, classes = expect(options)
    indices = results['frame_inds']
    assert indices.shape == (views * options['clip_len'],)
    assert np.issubdtype(indices.dtype, np.integer)
    assert indices.min() >= 0 and indices.max() < frames
    assert (results['num_clips'], results['clip_len']) == (views, options['clip_len'])
    assert set(results['view_labels']) == set(classes)
    for label, values in results['view_labels'].items():
        assert values.shape == (views,) and values.dtype == np.int64
        known = values[values != IGNORE]
        assert ((known >= 0) & (known < classes[label])).all()
    check_labels(name, options, frames, results)


def check_labels(name: str, options: Any, frames: int, results: Any) -> None:
    """Find the labels in the frames themselves, where nothing is looped."""
    clips = results['frame_inds'].reshape(results['num_clips'], -1)
    labels, steps = results['view_labels'], np.diff(clips, axis=1)
    if steps.size == 0 or frames < 2000 or (steps < 0).any():
        return
    if name == 'clip order' and labels['order'][0] != IGNORE:
        ranks = np.argsort(np.argsort(clips[:, 0]))
        again = list(np.ndindex(*[len(ranks)] * len(ranks)))
        orders = [order for order in again if len(set(order)) == len(ranks)]
        assert orders[labels['order'][0]] == tuple(ranks)
    elif name == 'pace':
        paces = np.array(options['paces'])[labels['pace']]
        mean = clips[:, -1] - clips[:, 0]
        wanted = paces * options['frame_interval'] * (clips.shape[1] - 1)
        assert (np.abs(mean - wanted) < 1 + 1e-6 * wanted).all()
    elif name == 'relative speed':
        speeds = np.array(options['speeds'])[labels['speed']]
        assert (steps == (speeds * options['frame_interval'])[:, None]).all()
    elif name == 'segment pace' and options['rule'] == 'ours':
        speeds = np.array(options['speeds'])[labels['speed']]
        assert (steps.max(1) <= speeds * options['frame_interval']).all()
        fast = labels['segment'] != IGNORE
        assert (np.isin(speeds[fast], steps[fast] // options['frame_interval'])).all()
