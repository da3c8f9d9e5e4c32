import itertools
import random
from collections import Counter

import pytest

from mmkd.errors import UserError
from mmkd.methods.vspp import (
    OurRule,
    PacedSegment,
    looped_indices,
    paced_steps,
    segment_bounds,
)


def walk(clip, total_frames, clip_len, num_segments, interval):
    """Slow twin: one frame after the other, by the definition."""
    size, frame, frames = clip_len // num_segments, clip.start, []
    for position in range(clip_len):
        frames.append(frame)
        in_segment = position // size == clip.segment
        for _ in range(interval * (clip.speed if in_segment else 1)):
            frame = 0 if frame + 1 == total_frames else frame + 1
    return frames


@pytest.mark.parametrize('interval', [1, 3])
@pytest.mark.parametrize('total_frames', [1, 2, 7, 16, 40, 300])
def test_indices_equal_the_walk(total_frames, interval):
    rule = OurRule(16, 2, (1, 2, 3, 4, 6), 4, interval)
    random.seed(total_frames)
    for _ in range(60):
        for clip in rule.draw(total_frames):
            ours = rule.indices(clip, total_frames).tolist()
            assert ours == walk(clip, total_frames, 16, 4, interval)


@pytest.mark.parametrize(
    ('segment', 'frames'),
    [
        (0, [5, 9, 13, 17, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32]),
        (1, [5, 6, 7, 8, 9, 13, 17, 21, 25, 26, 27, 28, 29, 30, 31, 32]),
        (3, [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 21, 25, 29]),
    ],
)
def test_clips_by_hand(segment, frames):
    rule = OurRule(16, 1, (4,), 4, 1)
    assert rule.indices(PacedSegment(5, segment, 4), 100).tolist() == frames


def test_uneven_segments_cover_the_clip_once_and_end_with_a_longer_one():
    for clip_len in range(4, 40):
        bounds = [segment_bounds(k, clip_len, 4) for k in range(4)]
        assert bounds[0][0] == 0
        assert bounds[3][1] == clip_len
        assert all(a[1] == b[0] for a, b in itertools.pairwise(bounds))
        sizes = [end - first for first, end in bounds]
        assert max(sizes) - min(sizes) == (clip_len % 4 > 0)
        assert sizes[3] == max(sizes)


def test_steps_scale_with_the_frame_interval():
    assert paced_steps(0, 3, 8, 4, 2).tolist() == [6, 6, 2, 2, 2, 2, 2]


def test_indices_loop_modulo_the_video():
    assert looped_indices(0, paced_steps(0, 4, 8, 4), 5).tolist() == [
        0,
        4,
        3,
        4,
        0,
        1,
        2,
        3,
    ]


def test_the_start_is_uniform_over_all_positions_that_fit():
    # segment 0 spans 7 + 2 frames at speed 2: 3 positions in 12 frames; segment 3 one
    # fewer: 4 positions
    rule = OurRule(8, 1, (2,), 4, 1)
    random.seed(1)
    starts = {k: Counter() for k in range(4)}
    for _ in range(12_000):
        (clip,) = rule.draw(12)
        starts[clip.segment][clip.start] += 1
    assert set(starts[0]) == set(range(3))
    assert set(starts[3]) == set(range(4))
    # 1000 expected each, deviation 29; five of them
    assert all(abs(n - 1000) < 145 for n in starts[0].values())
    assert all(abs(n - 750) < 135 for n in starts[3].values())


def test_a_clip_never_wraps_where_it_fits():
    rule = OurRule(16, 2, (1, 2, 3, 4), 4, 1)
    random.seed(2)
    for _ in range(300):
        for clip in rule.draw(32):
            frames = rule.indices(clip, 32)
            assert (frames[1:] > frames[:-1]).all()


def test_a_video_that_is_too_short_starts_at_the_first_frame():
    rule = OurRule(16, 1, (4,), 4, 1)
    random.seed(3)
    assert {rule.draw(25)[0].start for _ in range(50)} == {0}


def test_views_never_share_segment_or_speed_and_draw_all_of_them():
    rule = OurRule(16, 2, (1, 2, 3, 4), 4, 1)
    random.seed(4)
    seen = Counter()
    for _ in range(600):
        a, b = rule.draw(100)
        assert a.segment != b.segment
        assert a.speed != b.speed
        seen.update([(a.segment, b.segment), ('speed', a.speed, b.speed)])
    assert len(seen) == 12 + 12


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ((7, 1, (1, 2), 4, 1), '7 frames are too few for 4 segments'),
        ((16, 1, (1, 2), 4, 0), 'frame_interval is 0'),
        ((16, 2, (1,), 4, 1), '2 views need'),
        ((16, 2, (1, 2), 1, 1), '2 views need'),
    ],
)
def test_impossible_settings_are_the_users_error(settings, message):
    with pytest.raises(UserError, match=message):
        OurRule(*settings)
