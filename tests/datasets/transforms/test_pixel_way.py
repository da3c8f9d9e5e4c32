import numpy as np
import pytest

from mmkd.datasets.transforms.pixel_way import PixelWay

HEIGHT, WIDTH = 5, 7
WAY = PixelWay.whole_frame().resized(HEIGHT, WIDTH)
#: Each pixel holds its own place in the frame.
PICTURE = np.stack(np.mgrid[:HEIGHT, :WIDTH][::-1], axis=-1)


def check(way, picture):
    """The centre of each pixel leads back to the pixel that it shows."""
    assert (way.height, way.width) == picture.shape[:2]
    centres = np.stack(np.mgrid[: len(picture), : picture.shape[1]][::-1], -1) + 0.5
    places = way.places_in_frame(centres) * [WIDTH, HEIGHT]
    np.testing.assert_allclose(places, picture + 0.5, atol=1e-9)


def test_the_whole_frame():
    check(WAY, PICTURE)
    assert not WAY.mirrored


def test_a_crop():
    check(WAY.cropped(2, 1, 6, 4), PICTURE[1:4, 2:6])


@pytest.mark.parametrize('turns', [-1, 0, 1, 2, 3, 4])
def test_quarter_turns(turns):
    way = WAY.turned(turns)
    check(way, np.rot90(PICTURE, turns))
    assert not way.mirrored


def test_flips():
    check(WAY.flipped('horizontal'), PICTURE[:, ::-1])
    check(WAY.flipped('vertical'), PICTURE[::-1])
    assert WAY.flipped('horizontal').mirrored
    assert WAY.flipped('vertical').mirrored
    assert not WAY.flipped('horizontal').flipped('vertical').mirrored


def test_a_resize_by_whole_numbers():
    way = WAY.resized(3 * HEIGHT, 2 * WIDTH)
    centres = np.array([[3.0, 4.5], [0, 0], [14, 15]])  # x, y
    np.testing.assert_allclose(
        way.places_in_frame(centres) * [WIDTH, HEIGHT], [[1.5, 1.5], [0, 0], [7, 5]]
    )


def test_random_chains_of_crops_flips_and_turns():
    rng = np.random.default_rng(0)
    for _ in range(50):
        way, picture = WAY, PICTURE
        for step in rng.integers(0, 4, 6):
            height, width = picture.shape[:2]
            if step == 0:
                left, top = rng.integers(0, np.minimum(2, [width, height]))
                way = way.cropped(left, top, width, height)
                picture = picture[top:, left:]
            elif step == 1:
                way, picture = way.turned(1), np.rot90(picture)
            else:
                direction = ('horizontal', 'vertical')[step - 2]
                way = way.flipped(direction)
                picture = picture[:, ::-1] if step == 2 else picture[::-1]
        check(way, picture)
