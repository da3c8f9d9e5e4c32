import numpy as np
import pytest
from decord import VideoReader

from mmkd.datasets.video_readers.decord_video import DecordVideo
from tests.datasets.transforms.clips import UCF101, UT_SET1, UT_SET2
from tests.datasets.video_readers.videos import in_order, pictures, turn, write
from tests.shared_files import shared_path


@pytest.mark.parametrize('clip', [UCF101, UT_SET1, UT_SET2])
def test_frames_in_any_order_and_twice(clip):
    path = str(shared_path(clip))
    plain, reader = VideoReader(path), DecordVideo(path)
    frames = [plain.next().asnumpy() for _ in range(len(plain))]
    for wanted in ([50, 3, 3, len(frames) - 1], [30, 12]):
        ours = reader.get_batch(wanted).asnumpy()
        np.testing.assert_array_equal(ours, [frames[index] for index in wanted])
    assert len(reader) == len(plain)
    assert reader.get_avg_fps() == plain.get_avg_fps()


@pytest.mark.filterwarnings('error')
def test_a_narrow_video_is_read_through_pyav_with_a_warning(tmp_path):
    path = write(tmp_path / 'narrow.mp4', pictures(8, 20, 12))
    with pytest.warns(UserWarning, match=r'narrow\.mp4: decord fails .* PyAV') as seen:
        ours = DecordVideo(path).get_batch([7, 2]).asnumpy()
    assert len(seen) == 1
    np.testing.assert_array_equal(ours, in_order(path)[[7, 2]])


def test_a_video_that_is_shown_turned_is_read_through_pyav(tmp_path):
    path = tmp_path / 'turned.mp4'
    write(path, pictures(3, 48, 64))
    plain = in_order(path)[1]
    turn(path)
    # Its first frame says so, and decord is not asked.
    ours = DecordVideo(str(path)).get_batch([1]).asnumpy()[0]
    np.testing.assert_array_equal(ours, np.rot90(plain, -1))
