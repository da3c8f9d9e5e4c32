import decord
import numpy as np
import pytest

from mmkd.commands.prepare.synthetic.actions import ACTIONS
from mmkd.commands.prepare.synthetic.scene import render_clip
from mmkd.datasets.video_file import (
    read_maps,
    write_maps,
    write_video,
)
from mmkd.errors import UserError


@pytest.fixture(scope='module')
def clip():
    return render_clip(ACTIONS[0], (0, 0), size=64)


def test_decord_reads_back_every_frame(tmp_path, clip):
    path = tmp_path / 'a.mp4'
    write_video(path, clip.frames, fps=20.0, quality=12)
    reader = decord.VideoReader(str(path), num_threads=1)
    assert len(reader) == len(clip.frames)
    assert reader.get_avg_fps() == pytest.approx(20.0)
    frames = reader.get_batch(range(len(reader))).asnumpy()
    error = np.abs(frames.astype(int) - clip.frames).mean(axis=(1, 2, 3))
    shifted = np.abs(frames[1:].astype(int) - clip.frames[:-1]).mean(axis=(1, 2, 3))
    assert error.max() < 9 and (error[1:] < shifted).mean() > 0.95


def test_the_same_frames_give_the_same_bytes(tmp_path, clip):
    for name in 'ab':
        write_video(tmp_path / f'{name}.mp4', clip.frames)
        write_maps(tmp_path / f'{name}.npz', clip.maps)
    for ending in ('mp4', 'npz'):
        one, two = (tmp_path / f'{name}.{ending}' for name in 'ab')
        assert one.read_bytes() == two.read_bytes()


def test_quality_sets_the_size(tmp_path, clip):
    for quality in (18, 28):
        write_video(tmp_path / f'{quality}.mp4', clip.frames, quality=quality)
    fine, coarse = ((tmp_path / f'{q}.mp4').stat().st_size for q in (18, 28))
    assert fine > 1.5 * coarse


def test_maps_come_back(tmp_path, clip):
    write_maps(tmp_path / 'new' / 'a.npz', clip.maps)
    np.testing.assert_array_equal(read_maps(tmp_path / 'new' / 'a.npz'), clip.maps)


def test_unreadable_maps_are_a_user_error(tmp_path):
    (tmp_path / 'text.npz').write_text('no maps')
    np.savez(tmp_path / 'other.npz', other=np.zeros(3))
    for name in ('missing.npz', 'text.npz', 'other.npz'):
        with pytest.raises(UserError, match=name):
            read_maps(tmp_path / name)
