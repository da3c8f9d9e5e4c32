"""The official rule against the frame numbers of the official loaders."""

import itertools
import random

import numpy as np
import pytest

from mmkd.errors import UserError
from mmkd.methods.vspp import PacedSegment
from mmkd.methods.vspp_official import OfficialRule, official_indices
from tests.golden import load_golden

SPEEDS = (1, 2, 3, 4)


def every_clip(total_frames):
    starts = range(total_frames - 16)
    for start, segment, speed in itertools.product(starts, range(4), SPEEDS):
        yield PacedSegment(start, segment, speed)


@pytest.mark.parametrize(('name', 'views'), [('frames_vspp', 1), ('frames_auxskd', 2)])
class TestGolden:
    def test_frames(self, name, views):
        stored = load_golden(name).float32
        rule = OfficialRule(16, views, SPEEDS, 4, 1, None)
        ours = [
            rule.indices(PacedSegment(start - 1, segment - 1, speed), total) + 1
            for total, start, segment, speed in stored['c16s4.key'].tolist()
        ]
        np.testing.assert_array_equal(ours, stored['c16s4.frames'])

    def test_draws(self, name, views):
        stored = load_golden(name).float32['draws']
        rule = OfficialRule(16, views, SPEEDS, 4, 1, None)
        ours = []
        for seed in stored[:, 0].tolist():
            random.seed(seed)
            clips = [(c.start + 1, c.speed, c.segment + 1) for c in rule.draw(300)]
            ours.append([seed, *itertools.chain(*clips)])
        np.testing.assert_array_equal(ours, stored)


@pytest.mark.parametrize(
    ('look_ahead', 'total_frames', 'percent'),
    [
        (1, 300, 2.1),
        (1, 100, 7.2),
        (1, 29, 45),
        (3, 300, 3.3),
        (3, 100, 11.2),
        (3, 29, 61),
    ],
)
def test_share_of_clips_with_a_wrap(look_ahead, total_frames, percent):
    wraps = [
        bool((np.diff(official_indices(c, total_frames, 16, 4, look_ahead)) < 0).any())
        for c in every_clip(total_frames)
    ]
    digits = 0 if percent > 20 else 1
    assert round(100 * np.mean(wraps), digits) == percent


def assert_no_index_leaves(lengths, look_ahead):
    clips = 0
    for total in lengths:
        for clip in every_clip(total):
            frames = official_indices(clip, total, 16, 4, look_ahead)
            assert frames.min() >= 0
            assert frames.max() < total
            clips += 1
    return clips


@pytest.mark.parametrize('look_ahead', [1, 3])
def test_no_index_leaves_a_short_video(look_ahead):
    assert assert_no_index_leaves(range(17, 60), look_ahead) == 43 * 44 // 2 * 16


@pytest.mark.slow
@pytest.mark.parametrize('look_ahead', [1, 3])
def test_no_index_leaves_any_video(look_ahead):
    assert assert_no_index_leaves(range(17, 301), look_ahead) == 647_520


def test_the_starts_are_those_of_the_official_draw():
    rule = OfficialRule(16, 1, SPEEDS, 4, 1, None)
    random.seed(0)
    starts = {rule.draw(20)[0].start for _ in range(300)}
    assert starts == {0, 1, 2, 3}


def test_the_second_segment_is_redrawn_from_the_range_of_the_speeds(monkeypatch):
    # two segments, four speeds: 1 = 1, redrawn as 1 and then as 4; then speed, start
    # of each view, and the second speed redrawn once
    script = iter([1, 1, 1, 4, 3, 11, 3, 12, 2])
    asked = []

    def scripted(low, high):
        asked.append((low, high))
        return next(script)

    monkeypatch.setattr(random, 'randint', scripted)
    clips = OfficialRule(16, 2, SPEEDS, 2, 1, None).draw(30)
    assert clips == [PacedSegment(10, 0, 3), PacedSegment(11, 3, 2)]
    segments, speed, start = (1, 2), (1, 4), (1, 14)
    redrawn = [segments, segments, speed, speed]
    assert asked == [*redrawn, speed, start, speed, start, speed]


@pytest.mark.parametrize('total_frames', range(1, 17))
@pytest.mark.parametrize('views', [1, 2])
def test_short_videos_start_at_the_first_frame(views, total_frames):
    rule = OfficialRule(16, views, SPEEDS, 4, 1, None)
    random.seed(total_frames)
    for _ in range(50):
        for clip in rule.draw(total_frames):
            frames = rule.indices(clip, total_frames)
            assert frames[0] == 0
            assert frames.min() >= 0
            assert frames.max() < total_frames


def test_a_short_video_by_hand():
    # Positions 4 to 8 are fast: 3 + 4 = 7, which is frame 1 of 6 by modulo, and then
    # every second frame restarts, as 4 + 4 is past the end.
    rule = OfficialRule(16, 1, SPEEDS, 4, 1, None)
    frames = rule.indices(PacedSegment(0, 1, 4), 6).tolist()
    assert frames == [0, 1, 2, 3, 1, 0, 4, 0, 4, 0, 1, 2, 3, 4, 5, 0]


def test_the_look_ahead_can_be_set():
    clip = PacedSegment(23, 1, 4)
    one = OfficialRule(16, 2, SPEEDS, 4, 1, 1).indices(clip, 40)
    np.testing.assert_array_equal(one, official_indices(clip, 40, 16, 4, 1))
    three = OfficialRule(16, 2, SPEEDS, 4, 1, None).indices(clip, 40)
    np.testing.assert_array_equal(three, official_indices(clip, 40, 16, 4, 3))
    assert one.tolist() != three.tolist()


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ((16, 3, SPEEDS, 4, 1, None), 'one or two views, not 3'),
        ((16, 1, (1, 2, 4), 4, 1, None), r'not 1 and \(1, 2, 4\)'),
        ((16, 1, SPEEDS, 4, 2, None), 'not 2 and'),
        ((3, 1, SPEEDS, 4, 1, None), '3 frames are too few for 4 segments'),
        ((16, 1, SPEEDS, 4, 1, 0), 'look_ahead is 0'),
        ((16, 2, (1,), 4, 1, None), '2 views need'),
    ],
)
def test_impossible_settings_are_the_users_error(settings, message):
    with pytest.raises(UserError, match=message):
        OfficialRule(*settings)
