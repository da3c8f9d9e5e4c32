import numpy as np
import pytest

from mmkd.commands.prepare.synthetic.scenery import Camera, draw_camera, wander


def test_projection_of_a_still_camera_scales_to_pixels():
    camera = Camera(64, np.zeros((2, 2)), np.ones(2), np.zeros(2))
    points = np.array([[0.0, 0.25], [1.0, 0.5]])
    np.testing.assert_allclose(camera.project(points), [[0, 16], [64, 32]])


def test_zoom_and_roll_keep_the_centre_and_pan_follows_nearness():
    pan = np.array([[0.1, -0.2]])
    camera = Camera(100, pan, np.array([2.0]), np.array([np.pi / 2]))
    centre, right = np.array([[0.5, 0.5]]), np.array([[0.6, 0.5]])
    np.testing.assert_allclose(camera.project(centre, 0.0), [[50, 50]])
    np.testing.assert_allclose(camera.project(centre, 0.5), [[55, 40]])
    np.testing.assert_allclose(camera.project(right, 0.0), [[50, 70]])


def test_wander_is_smooth_and_about_zero():
    paths = np.stack([wander(np.random.default_rng(i), 60, 0.1) for i in range(200)])
    assert abs(paths.mean()) < 0.01
    assert np.abs(np.diff(paths, axis=1)).max() < 0.03
    assert paths.std() == pytest.approx(0.04, abs=0.015)


def test_one_camera_in_three_shakes():
    def roughness(seed: int) -> float:
        pan = draw_camera(np.random.default_rng(seed), 96, 60).pan
        return float(np.abs(np.diff(pan, n=2, axis=0)).mean())

    shaken = sum(roughness(seed) > 0.003 for seed in range(90))
    assert 15 <= shaken <= 45
