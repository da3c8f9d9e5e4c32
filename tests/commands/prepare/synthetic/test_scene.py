import cv2
import numpy as np
import pytest

from mmkd.commands.prepare.synthetic.actions import ACTIONS, CLASS_NAMES
from mmkd.commands.prepare.synthetic.figure import PART_NAMES
from mmkd.commands.prepare.synthetic.scene import MAX_FRAMES, MIN_FRAMES, render_clip

BY_NAME = dict(zip(CLASS_NAMES, ACTIONS, strict=True))


def near(mask: np.ndarray, reach: int) -> np.ndarray:
    """Pixels within ``reach`` rows and columns of a mask ``(H, W)``."""
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0


def test_same_seed_same_clip_other_seed_other_clip():
    first = render_clip(BY_NAME['walk'], (3, 0, 1), size=48)
    again = render_clip(BY_NAME['walk'], (3, 0, 1), size=48)
    other = render_clip(BY_NAME['walk'], (3, 0, 2), size=48)
    np.testing.assert_array_equal(first.frames, again.frames)
    np.testing.assert_array_equal(first.maps, again.maps)
    shared = min(len(first.frames), len(other.frames))
    assert (first.frames[:shared] != other.frames[:shared]).mean() > 0.9


@pytest.mark.parametrize('seed', range(4))
def test_clips_of_two_actions_differ_in_the_figure_alone(seed):
    """Length, background, camera, light and noise cannot tell the action."""
    one = render_clip(BY_NAME['jumping_jack'], (seed, 0, 0), size=48)
    two = render_clip(BY_NAME['squat'], (seed, 0, 0), size=48)
    assert one.frames.shape == two.frames.shape
    for t in range(0, len(one.frames), 12):
        figures = near((one.maps[t] > 0) | (two.maps[t] > 0), 4)
        same = (one.frames[t] == two.frames[t]).all(axis=-1)
        assert same[~figures].all()
    assert (one.maps != two.maps).any()


def test_the_maps_lie_on_the_figure():
    """Two clips that differ in the figure alone differ where the maps differ."""
    for seed in range(4):
        one = render_clip(BY_NAME['jumping_jack'], (9, seed), size=64)
        two = render_clip(BY_NAME['sit_down'], (9, seed), size=64)
        apart = np.abs(one.frames.astype(int) - two.frames).max(axis=-1)
        only_one = (one.maps > 0) ^ (two.maps > 0)
        assert np.median(apart[only_one]) > 8
        explained = [
            near((a > 0) | (b > 0), 2) for a, b in zip(one.maps, two.maps, strict=True)
        ]
        # The rest are mixed pixels at the rim of things in front of a figure.
        assert np.stack(explained)[apart > 30].mean() > 0.995


def test_all_parts_appear_and_the_figure_has_a_usual_size():
    clips = [render_clip(a, (1, i), size=64) for i, a in enumerate(ACTIONS)]
    seen = set(np.concatenate([np.unique(clip.maps) for clip in clips]).tolist())
    assert seen == set(range(len(PART_NAMES)))
    shares = [(clip.maps > 0).mean() for clip in clips]
    assert min(shares) > 0.02 and max(shares) < 0.5


def test_lengths_cover_their_range():
    lengths = [len(render_clip(ACTIONS[0], (2, i), size=32).maps) for i in range(15)]
    assert min(lengths) >= MIN_FRAMES and max(lengths) <= MAX_FRAMES
    assert np.ptp(lengths) > 20


def test_pictures_scale_with_the_size():
    small = render_clip(BY_NAME['squat'], (5, 5), size=48)
    large = render_clip(BY_NAME['squat'], (5, 5), size=96)
    assert large.frames.shape[:3] == (len(small.frames), 96, 96)
    assert small.maps.dtype == small.frames.dtype == np.uint8
    shares = [(clip.maps > 0).mean() for clip in (small, large)]
    assert shares[0] == pytest.approx(shares[1], rel=0.1)
