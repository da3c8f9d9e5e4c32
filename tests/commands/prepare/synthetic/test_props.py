import numpy as np

from mmkd.commands.prepare.synthetic.canvas import Canvas
from mmkd.commands.prepare.synthetic.scenery import draw_camera, draw_prop


def test_a_prop_hides_a_figure_in_picture_and_map():
    hidden = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        prop = draw_prop(rng, draw_camera(rng, 64, 20), 1.0)
        canvas = Canvas(np.full((64, 64, 3), 128, np.uint8))
        canvas.labels[:] = 5
        prop.draw(canvas, 10)
        changed = (canvas.picture != 128).any(axis=-1)
        assert (changed[canvas.labels == 0]).mean() > 0.97
        hidden.append((canvas.labels == 0).mean())
    assert max(hidden) < 0.4 and np.mean(hidden) > 0.01


def test_props_move():
    rng = np.random.default_rng(3)
    props = [draw_prop(rng, draw_camera(rng, 64, 40), 1.0) for _ in range(8)]
    assert min(np.ptp(prop.centre, axis=0).max() for prop in props) > 0.5
