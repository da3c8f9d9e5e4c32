"""The official rules against slow twins, over the whole range of their options."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkd.datasets.transforms import IGNORE, EvenClips
from mmkd.datasets.transforms.windows import random_window
from mmkd.errors import UserError
from mmkd.methods.auxskd import SimilarityDistill
from mmkd.methods.pace import PaceViews
from mmkd.methods.rspnet import RelativeSpeedViews
from mmkd.methods.vcop import ClipOrderViews
from mmkd.methods.vcp import ClipTransformViews
from mmkd.methods.vspp import SegmentPaceViews
from mmkd.models.memory import FeatureQueue
from tests.methods import slow_twins as twins

QUICK = settings(max_examples=150, deadline=None)
SEEDS = st.integers(0, 2**16)
CLIPS = st.one_of(st.integers(1, 33), st.just(64))


def lengths(*spans):
    """Videos of any length, and those about as long as what has to fit."""
    near = [span + more for span in spans for more in (-1, 0, 1) if span + more > 0]
    return st.one_of(
        st.sampled_from([1, 2, *near]), st.integers(1, 60), st.integers(1, 700)
    )


def sampled(sampler, total, seed):
    random.seed(seed)
    frames, labels = sampler.sample(total)
    assert frames.min() >= 0
    assert frames.max() < total
    return frames, labels


def of_twin(twin, seed, *options):
    """Return what a twin gives, or None where the official loader stops."""
    random.seed(seed)
    try:
        return twin(random.randint, *options)
    except twins.PastTheEnd:
        return None


@QUICK
@given(data=st.data(), seed=SEEDS)
@pytest.mark.parametrize('views', [1, 2])
def test_segment_pace(views, data, seed):
    segments = data.draw(st.integers(2, 8), 'segments')
    speeds = data.draw(st.integers(2, 6), 'speeds')
    clip_len = data.draw(
        st.one_of(st.integers(segments, 40), st.sampled_from([16, 30, 64])), 'clip_len'
    )
    total = data.draw(lengths(clip_len, clip_len + speeds * clip_len), 'total')
    sampler = SegmentPaceViews(
        clip_len, views, range(1, speeds + 1), segments, rule='official'
    )
    frames, labels = sampled(sampler, total, seed)
    twin = twins.vspp if views == 1 else twins.auxskd
    expected = of_twin(twin, seed, total, clip_len, speeds, segments)
    if expected is None:
        return
    clips, drawn = expected
    np.testing.assert_array_equal(frames, clips)
    assert labels['speed'].tolist() == [speed for speed, _ in drawn]
    # A redraw may name a segment that the clip does not have.
    known = [k if k < segments else IGNORE for _, k in drawn]
    assert labels['segment'].tolist() == known


@pytest.mark.parametrize(
    ('clip_len', 'segments'), [(16, 3), (10, 4), (17, 4), (30, 22), (15, 11), (18, 4)]
)
def test_every_segment_of_a_clip_that_they_do_not_divide(clip_len, segments):
    sampler = SegmentPaceViews(clip_len, 1, (1, 2, 3), segments, rule='official')
    seen = set()
    for seed in range(20 * segments):
        frames, labels = sampled(sampler, 400, seed)
        clips, _ = of_twin(twins.vspp, seed, 400, clip_len, 3, segments)
        np.testing.assert_array_equal(frames, clips)
        seen.add(int(labels['segment'][0]))
    assert len(seen) > segments // 2


@QUICK
@given(data=st.data(), clip_len=CLIPS, paces=st.integers(1, 7), seed=SEEDS)
def test_pace(data, clip_len, paces, seed):
    total = data.draw(lengths(clip_len, (clip_len - 1) * paces + 1), 'total')
    sampler = PaceViews(clip_len, paces=range(1, paces + 1), rule='official')
    frames, labels = sampled(sampler, total, seed)
    clip, label = of_twin(twins.pace, seed, total, clip_len, paces)
    assert frames.tolist() == [clip]
    assert labels['pace'].tolist() == [label]


@QUICK
@given(data=st.data(), clip_len=CLIPS, interval=st.integers(0, 20), seed=SEEDS)
def test_clip_transform(data, clip_len, interval, seed):
    span = 3 * clip_len + 2 * interval
    total = data.draw(
        lengths(span, span + 2 * clip_len + 32, span + 4 * clip_len), 'total'
    )
    sampler = ClipTransformViews(clip_len, interval, rule='official')
    frames, labels = sampled(sampler, total, seed)
    expected = of_twin(twins.vcp, seed, total, clip_len, interval)
    if expected is None:
        assert total < span or clip_len < 3
        return
    clips, label = expected
    np.testing.assert_array_equal(frames, clips)
    assert labels['transform'].tolist() == [IGNORE, label, IGNORE]


@pytest.mark.parametrize('clip_len', [4, 8, 16, 32])
def test_the_official_remote_clip_lies_sixteen_frames_away(clip_len):
    span, total = 3 * clip_len + 16, 9 * clip_len + 70
    sampler = ClipTransformViews(clip_len, 8, rule='official')
    gaps = set()
    for seed in range(3000):
        frames, labels = sampled(sampler, total, seed)
        if labels['transform'][1] == 4:
            start, remote = frames[0, 0], frames[1, 0]
            before = remote < start
            gaps.add(start - remote - clip_len if before else remote - start - span)
    assert min(gaps) == 16


@QUICK
@given(
    data=st.data(),
    clip_len=st.integers(1, 20),
    clips=st.integers(2, 4),
    gap=st.integers(0, 12),
    seed=SEEDS,
)
def test_clip_order_of_the_videos_that_the_official_lists_keep(
    data, clip_len, clips, gap, seed
):
    span = clips * clip_len + (clips - 1) * gap
    total = data.draw(lengths(span), 'total')
    frames, _ = sampled(ClipOrderViews(clip_len, clips, gap), total, seed)
    expected = of_twin(twins.vcop, seed, total, clip_len, clips, gap)
    if expected is None:
        assert total < span
    else:
        np.testing.assert_array_equal(frames[frames[:, 0].argsort()], expected)


@QUICK
@given(data=st.data(), size=CLIPS, stride=st.integers(1, 6), seed=SEEDS)
def test_windows(data, size, stride, seed):
    total = data.draw(lengths(size, (size - 1) * stride + 1), 'total')
    random.seed(seed)
    window = random_window(size, total, stride)
    assert window.tolist() == of_twin(twins.window, seed, total, size, stride)
    assert window.dtype == np.int64


@QUICK
@given(
    data=st.data(), clip_len=st.integers(1, 20), stride=st.integers(1, 4), seed=SEEDS
)
@pytest.mark.parametrize('speeds', [(1, 2), (1, 2, 4), (2, 3)])
def test_relative_speed_cuts_such_windows(speeds, data, clip_len, stride, seed):
    size = clip_len * max(speeds)
    total = data.draw(lengths(size, (size - 1) * stride + 1), 'total')
    sampler = RelativeSpeedViews(clip_len, speeds, stride)
    frames, labels = sampled(sampler, total, seed)
    random.seed(seed)
    query, key = (twins.window(random.randint, total, size, stride) for _ in range(2))
    for clip, source, label in zip(
        frames, (query, key, key), labels['speed'], strict=True
    ):
        assert clip.tolist() == source[:: speeds[label]][:clip_len]
    assert labels['speed'][0] == labels['speed'][1] != labels['speed'][2]


@QUICK
@given(data=st.data(), size=CLIPS, stride=st.integers(1, 6), count=st.integers(1, 12))
def test_even_clips(data, size, stride, count):
    total = data.draw(lengths(size, (size - 1) * stride + 1), 'total')
    frames, _ = sampled(EvenClips(size, count, stride), total, 0)
    assert frames.tolist() == twins.even_clips(total, size, stride, count)


@QUICK
@given(data=st.data(), size=CLIPS, count=st.integers(1, 12))
def test_even_clips_of_vcop(data, size, count):
    total = data.draw(lengths(size), 'total')
    frames, _ = sampled(EvenClips(size, count, protocol='vcop'), total, 0)
    if total < size:
        looped = [[position % total for position in range(size)]] * count
        assert frames.tolist() == looped
    else:
        assert frames.tolist() == twins.vcop_test_clips(total, size, count)


@pytest.mark.parametrize(
    ('total', 'stride', 'frames'),
    [
        # span 13: fits; 12 and 5: spread; 4: once; 3: looped one by one
        (13, 4, [0, 4, 8, 12]),
        (12, 4, [0, 4, 7, 11]),
        (5, 4, [0, 1, 3, 4]),
        (4, 4, [0, 1, 2, 3]),
        (3, 4, [0, 1, 2, 0]),
        (1, 4, [0, 0, 0, 0]),
    ],
)
def test_short_videos_by_hand(total, stride, frames):
    assert random_window(4, total, stride).tolist() == frames
    assert EvenClips(4, 2, stride).sample(total)[0].tolist() == [frames] * 2


@pytest.mark.parametrize(('total', 'start'), [(20, 2), (19, 1), (18, 1), (17, 0)])
def test_one_even_clip_lies_in_the_middle_rounded_down(total, start):
    assert EvenClips(16, 1).sample(total)[0][0, 0] == start


SAMPLERS = [PaceViews, SegmentPaceViews, ClipTransformViews]


@pytest.mark.parametrize('sampler', SAMPLERS)
@pytest.mark.parametrize(('flag', 'rule'), [(True, 'official'), (False, 'ours')])
def test_the_old_flag_names_the_new_option(sampler, flag, rule):
    message = f"{sampler.__name__}: the option released={flag} .* Write rule='{rule}'"
    with pytest.raises(UserError, match=message):
        sampler(released=flag)
    with pytest.raises(UserError, match=message):
        sampler(rule=flag)
    message = f"SimilarityDistill: .* released_queue={flag} .* Write rule='{rule}'"
    with pytest.raises(UserError, match=message):
        SimilarityDistill(8, released_queue=flag)


@pytest.mark.parametrize('sampler', SAMPLERS)
def test_other_rules_are_refused(sampler):
    with pytest.raises(
        UserError, match=f"{sampler.__name__}: there is no rule 'paper'"
    ):
        sampler(rule='paper')
    with pytest.raises(UserError, match="no rule 'paper'"):
        FeatureQueue(4, 2, rule='paper')
    with pytest.raises(UserError, match="EvenClips: there is no protocol 'pcl'"):
        EvenClips(protocol='pcl')


def test_the_official_queue_is_that_of_the_task():
    task = SimilarityDistill(8, queue_size=600, rule='official')
    assert task.queue.features.norm(dim=0).max().item() == pytest.approx(1, abs=1e-5)
    assert (
        SimilarityDistill(8, queue_size=9)
        .queue.features.norm(dim=1)
        .allclose(task.queue.features.new_ones(9))
    )
