import pytest

from mmkd.datasets.video_readers import (
    choose_decoder,
    decord_video,
    frame_reader,
    open_video,
)
from mmkd.datasets.video_readers.pyav_video import PyAVVideo
from mmkd.errors import UserError
from tests.datasets.video_readers.videos import pictures, write


def installed(monkeypatch, *modules):
    monkeypatch.setattr(frame_reader, 'find_spec', lambda name: name in modules or None)


def test_auto_is_the_fastest_that_is_installed(monkeypatch):
    installed(monkeypatch, 'decord', 'torchcodec', 'av')
    assert choose_decoder() == 'pyav'
    installed(monkeypatch, 'decord')
    assert choose_decoder() == 'decord'


def test_a_decoder_that_is_not_there_is_one_line(monkeypatch):
    installed(monkeypatch, 'av')
    with pytest.raises(UserError, match=r"'torchcodec' is not installed\. pip install"):
        choose_decoder('torchcodec')
    with pytest.raises(UserError, match=r"decoder='opencv'. Use 'auto' or one of"):
        choose_decoder('opencv')


def test_one_that_is_installed_and_broken_is_one_line(monkeypatch, tmp_path):
    def broken(path, num_threads):
        raise ImportError('libavutil.so.58 is missing')

    monkeypatch.setattr(decord_video, 'DecordVideo', broken)
    with pytest.raises(UserError, match=r'loaded: libavutil\.so\.58 is missing'):
        open_video(str(tmp_path), 'decord')


@pytest.mark.parametrize('decoder', ['pyav', 'decord'])
@pytest.mark.parametrize('content', [b'', b'no video', None])
def test_a_file_that_is_no_video_is_named(tmp_path, decoder, content):
    path = tmp_path / 'bad.mp4'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RuntimeError, match=r'bad\.mp4 cannot be opened'):
        open_video(str(path), decoder)


def test_threads_are_handed_on(tmp_path):
    reader = open_video(write(tmp_path / 'a.mp4', pictures(2, 32, 32)), 'auto', 2)
    assert isinstance(reader, PyAVVideo)
    assert reader.container.streams.video[0].codec_context.thread_count == 2
