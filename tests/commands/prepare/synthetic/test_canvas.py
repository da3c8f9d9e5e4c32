import numpy as np

from mmkd.commands.prepare.synthetic.canvas import Canvas


def distance_to_segment(a: np.ndarray, b: np.ndarray, size: int) -> np.ndarray:
    """Slow twin: distance of every pixel's centre to a segment."""
    distance = np.empty((size, size))
    for row in range(size):
        for column in range(size):
            p = np.array([column, row], float)
            t = np.clip(np.dot(p - a, b - a) / np.dot(b - a, b - a), 0, 1)
            distance[row, column] = np.hypot(*(p - a - t * (b - a)))
    return distance


def test_a_capsule_covers_the_pixels_near_its_axis():
    canvas = Canvas(np.zeros((48, 48, 3), np.uint8))
    ends = np.array([[10.3, 12.7], [33.1, 30.2]])
    canvas.shape(ends, np.full(2, 6.0), (200.0, 100.0, 50.0), 7, np.zeros(2))
    distance = distance_to_segment(*ends, 48)
    assert (canvas.labels[distance < 4.8] == 7).all()
    assert (canvas.labels[distance > 7.2] == 0).all()
    assert (canvas.picture[distance < 2.5] == (200, 100, 50)).all()
    assert (canvas.picture[distance > 8.2] == 0).all()


def test_shading_is_darker_at_the_rim_and_follows_the_light():
    canvas = Canvas(np.zeros((48, 48, 3), np.uint8))
    centre = np.array([[24.0, 24.0]])
    canvas.shape(centre, np.array([12.0]), (200.0,) * 3, 1, np.array([1.0, 0.0]))
    left, right = canvas.picture[24, 15, 0], canvas.picture[24, 33, 0]
    assert (left, right) == (144, 200)


def test_label_zero_hides_what_lies_behind():
    canvas = Canvas(np.zeros((32, 32, 3), np.uint8))
    centre = np.array([[16.0, 16.0]])
    canvas.shape(centre, np.array([10.0]), (90.0,) * 3, 3, np.zeros(2))
    canvas.shape(centre, np.array([5.0]), (250.0,) * 3, 0, np.zeros(2))
    assert canvas.labels[16, 16] == 0 and canvas.labels[16, 24] == 3


def test_stripes_lie_across_the_axis_and_on_their_part_only():
    canvas = Canvas(np.zeros((40, 40, 3), np.uint8))
    canvas.labels[:, :25] = 4
    axis = np.array([[20.0, 4.0], [20.0, 36.0]])
    canvas.stripes(axis, 8, 2, (255.0, 0, 0), 4)
    red = canvas.picture[..., 0]
    rows = np.flatnonzero(red[:, 20] == 255)
    assert {12, 28} <= set(rows.tolist()) and len(rows) < 14
    assert red[12, 13] == red[12, 24] == 255 and not red[:, 25:].any()
    assert not red[:, :8].any()


def test_points_far_outside_do_no_harm():
    canvas = Canvas(np.zeros((16, 16, 3), np.uint8))
    far = np.array([[1e9, -1e9], [1e9, 1e9]])
    canvas.shape(far, np.full(2, 3.0), (9.0, 9.0, 9.0), 1, np.zeros(2))
    assert not canvas.labels.any()
