import numpy as np
import pytest

from mmkd.commands.prepare.synthetic.scenery import (
    FIELDS,
    draw_background,
    draw_camera,
    draw_texture,
    noise_field,
)


def test_noise_is_smooth_and_fills_its_range():
    noise = noise_field(np.random.default_rng(0), 64)
    assert (noise.min(), noise.max()) == (0.0, 1.0)
    assert np.abs(np.diff(noise, axis=0)).mean() < 0.05


@pytest.mark.parametrize('number', range(len(FIELDS)))
def test_fields_stay_near_their_range(number):
    x, y = np.meshgrid(np.linspace(-1, 1, 48), np.linspace(-1, 1, 48))
    field = FIELDS[number](np.random.default_rng(number), x, y)
    assert field.shape == (48, 48)
    assert -0.3 < field.min() < field.max() < 1.3
    assert field.std() > 0.05


def test_textures_are_textured():
    for seed in range(10):
        texture = draw_texture(np.random.default_rng(seed), 96)
        assert texture.shape == (96, 96, 3) and texture.dtype == np.uint8
        assert texture.reshape(-1, 3).std(axis=0).max() > 1.5


def test_backgrounds_move_and_some_have_a_floor():
    floors = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        background = draw_background(rng, draw_camera(rng, 64, 48))
        first, last = (background.frame(t, 64).astype(int) for t in (0, 47))
        assert np.abs(first - last).mean() > 0.3
        floors += bool((background.horizon < 64).any())
    assert 6 <= floors <= 18
