import numpy as np
import pytest
from PIL import Image

from mmkd.commands.part_sheet import write_small_png

NOISE = np.random.default_rng(0).integers(0, 256, (120, 160, 3)).astype(np.uint8)


def test_few_colours_are_kept(tmp_path):
    picture = np.zeros((40, 30, 3), np.uint8)
    picture[:10, :7] = (250, 10, 90)
    size = write_small_png(tmp_path / 'a.png', picture)
    assert size == (tmp_path / 'a.png').stat().st_size
    read = np.asarray(Image.open(tmp_path / 'a.png').convert('RGB'))
    np.testing.assert_array_equal(read, picture)


@pytest.mark.parametrize('limit', [20_000, 3_000])
def test_the_limit_holds(tmp_path, limit):
    assert write_small_png(tmp_path / 'a.png', NOISE, limit) <= limit
    width, height = Image.open(tmp_path / 'a.png').size
    assert width / height == pytest.approx(4 / 3, rel=0.05)
    assert [path.name for path in tmp_path.iterdir()] == ['a.png']
