"""TorchCodec is optional, and its wheel may not fit the torch that is installed."""

import numpy as np
import pytest

from mmkd.datasets.video_readers.pyav_video import PyAVVideo
from mmkd.datasets.video_readers.torchcodec_video import TorchCodecVideo
from tests.datasets.transforms.clips import UCF101, UT_OTHER, UT_SET1
from tests.datasets.video_readers.test_pyav_video import B_FRAMES_IN_AVI
from tests.datasets.video_readers.videos import pictures, write
from tests.shared_files import shared_path

try:
    import torchcodec.decoders  # noqa: F401
except Exception as error:
    pytest.skip(f'TorchCodec cannot be loaded: {error}', allow_module_level=True)


@pytest.mark.parametrize('clip', [UCF101, B_FRAMES_IN_AVI, UT_OTHER, UT_SET1])
def test_frames_equal_those_of_pyav(clip):
    path = str(shared_path(clip))
    reader, other = TorchCodecVideo(path), PyAVVideo(path)
    wanted = [len(other) - 1, 3, 40, 40]
    ours, others = (r.get_batch(wanted).asnumpy() for r in (reader, other))
    np.testing.assert_array_equal(ours, others)
    assert (len(reader), reader.get_avg_fps()) == (len(other), other.get_avg_fps())


def test_it_is_used_where_frames_have_times(tmp_path):
    path = write(tmp_path / 'a.mp4', pictures(20, 48, 64), bf='3', g='6')
    reader = TorchCodecVideo(path)
    assert reader.decoder is not None
    ours, others = (r.get_batch([19, 0, 7]) for r in (reader, PyAVVideo(path)))
    np.testing.assert_array_equal(ours.asnumpy(), others.asnumpy())
