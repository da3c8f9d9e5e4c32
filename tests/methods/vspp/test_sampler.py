import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkd.datasets.transforms import IGNORE
from mmkd.errors import UserError
from mmkd.methods.vspp import PacedSegment, SegmentPaceViews
from mmkd.registry import TRANSFORMS


def scripted(sampler, *clips):
    """Let the sampler draw these clips."""
    object.__setattr__(sampler.rule, 'draw', lambda total_frames: list(clips))
    return sampler


def test_it_is_built_from_a_config():
    sampler = TRANSFORMS.build({'type': 'mmkd.SegmentPaceViews', 'num_views': 2})
    assert isinstance(sampler, SegmentPaceViews)
    results = sampler({'total_frames': 50})
    assert results['frame_inds'].shape == (32,)
    assert (results['clip_len'], results['num_clips']) == (16, 2)


def test_the_labels_are_indices_and_unknowable_segments_are_ignored():
    clips = PacedSegment(0, 1, 6), PacedSegment(3, 2, 1)
    sampler = SegmentPaceViews(num_views=2, speeds=(1, 2, 6))
    _, labels = scripted(sampler, *clips).sample(99)
    assert labels['speed'].tolist() == [2, 0]
    assert labels['segment'].tolist() == [1, IGNORE]
    assert {label.dtype for label in labels.values()} == {np.dtype(np.int64)}


@pytest.mark.parametrize(
    'option', [{'rule': 'official'}, {'label_natural_speed': True}]
)
def test_the_segment_at_natural_speed_is_labelled_on_demand(option):
    sampler = SegmentPaceViews(**option)
    _, labels = scripted(sampler, PacedSegment(3, 2, 1)).sample(99)
    assert labels['segment'].tolist() == [2]


def test_a_redrawn_segment_that_does_not_exist_is_ignored():
    sampler = SegmentPaceViews(num_views=2, num_segments=2, rule='official')
    clips = PacedSegment(0, 0, 2), PacedSegment(5, 3, 4)
    indices, labels = scripted(sampler, *clips).sample(99)
    assert labels['segment'].tolist() == [0, IGNORE]
    assert indices[1].tolist() == list(range(5, 21))


def test_a_quarter_of_the_samples_has_an_unknowable_segment():
    random.seed(0)
    sampler = SegmentPaceViews()
    labels = [sampler.sample(300)[1] for _ in range(2000)]
    ignored = np.mean([label['segment'][0] == IGNORE for label in labels])
    natural = np.mean([label['speed'][0] == 0 for label in labels])
    assert ignored == natural
    # deviation of a share of 1/4 of 2000: 0.0097; four of them
    assert abs(natural - 0.25) < 0.039


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_every_index_is_in_the_video(data):
    rule = data.draw(st.sampled_from(['ours', 'official']), 'rule')
    segments = data.draw(st.integers(2, 6), 'segments')
    if rule == 'official':
        speeds = tuple(range(1, data.draw(st.integers(2, 7), 'speeds') + 1))
        interval = 1
    else:
        speed = st.integers(1, 9)
        speeds = data.draw(st.lists(speed, min_size=2, max_size=5, unique=True))
        interval = data.draw(st.integers(1, 4), 'interval')
    views = data.draw(st.integers(1, 2), 'views')
    clip_len = data.draw(st.integers(2 * segments, 40), 'clip_len')
    total = data.draw(st.integers(1, 200), 'total_frames')
    sampler = SegmentPaceViews(clip_len, views, speeds, segments, interval, rule=rule)
    random.seed(data.draw(st.integers(0, 9999), 'seed'))
    indices, labels = sampler.sample(total)
    assert indices.shape == (views, clip_len)
    assert indices.min() >= 0
    assert indices.max() < total
    assert all(label.shape == (views,) for label in labels.values())
    assert ((labels['speed'] >= 0) & (labels['speed'] < len(speeds))).all()
    known = labels['segment'] != IGNORE
    assert ((labels['segment'] >= 0) & (labels['segment'] < segments))[known].all()


def test_the_look_ahead_belongs_to_the_official_rule():
    assert SegmentPaceViews(rule='official', look_ahead=2).rule.look_ahead == 2
    with pytest.raises(UserError, match='look_ahead belongs to the official rule'):
        SegmentPaceViews(look_ahead=2)
