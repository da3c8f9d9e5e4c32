from dataclasses import replace

import numpy as np
import pytest

from mmkd.commands.prepare.synthetic.actions import ACTIONS, CLASS_NAMES
from mmkd.commands.prepare.synthetic.performance import (
    Style,
    cycles,
    draw_body,
    draw_style,
    perform,
)
from mmkd.commands.prepare.synthetic.skeleton import Body

BY_NAME = dict(zip(CLASS_NAMES, ACTIONS, strict=True))
PLAIN = Style('hanging', 1.0, 0.0, 1.0, False, 0.0, 0.0, 0.0, 0)


def test_draws_cover_their_ranges():
    rng = np.random.default_rng(0)
    styles = [draw_style(rng) for _ in range(300)]
    tempos = np.array([s.tempo for s in styles])
    assert tempos.min() < 0.65 and tempos.max() > 1.35
    assert tempos.min() >= 0.6 and tempos.max() <= 1.4
    assert 100 < sum(s.mirrored for s in styles) < 200
    legs = np.array([draw_body(rng).upper_leg for _ in range(100)])
    assert legs.std() > 0.01


def test_cycles_of_a_repeated_action():
    style = replace(PLAIN, tempo=1.25, phase=0.3)
    action = replace(BY_NAME['walk'], seconds=1.0)
    np.testing.assert_allclose(cycles(action, style, 3, 25.0), [0.3, 0.35, 0.4])


@pytest.mark.parametrize('phase', [0.0, 0.5, 1.0])
def test_an_action_done_once_has_its_middle_within_the_clip(phase):
    style = replace(PLAIN, phase=phase)
    u = cycles(BY_NAME['sit_down'], style, 61, 25.0)
    assert np.abs(u - 0.5).argmin() == round((0.35 + 0.3 * phase) * 60)


def test_heading():
    ahead = perform(BY_NAME['walk'], PLAIN, Body(), 4, 25.0)
    aside = perform(BY_NAME['walk'], replace(PLAIN, yaw=90.0), Body(), 4, 25.0)
    for name, (x, y, z) in ((n, p.T) for n, p in ahead.items()):
        np.testing.assert_allclose(aside[name], np.stack([z, y, -x], 1), atol=1e-12)
    assert ahead['left_hip'][0, 0] > 0


def test_mirrored_performance_waves_the_other_arm():
    right = perform(BY_NAME['wave'], PLAIN, Body(), 10, 25.0)
    left = perform(BY_NAME['wave'], replace(PLAIN, mirrored=True), Body(), 10, 25.0)
    assert right['right_hand'][0, 1] > right['head'][0, 1] > right['left_hand'][0, 1]
    np.testing.assert_allclose(left['left_hand'], right['right_hand'] * (-1, 1, 1))


def test_sway_is_small_slow_and_drawn_from_the_style():
    action, body = BY_NAME['squat'], Body()
    plain = perform(action, PLAIN, body, 50, 25.0)['head']
    swayed = perform(action, replace(PLAIN, sway=4.0, seed=1), body, 50, 25.0)['head']
    again = perform(action, replace(PLAIN, sway=4.0, seed=1), body, 50, 25.0)['head']
    other = perform(action, replace(PLAIN, sway=4.0, seed=2), body, 50, 25.0)['head']
    np.testing.assert_array_equal(swayed, again)
    assert 1e-3 < np.abs(swayed - plain).max() < 0.1
    assert np.abs(swayed - other).max() > 1e-3
