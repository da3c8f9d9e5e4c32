"""What is no plain video file of this machine is refused before it is decoded."""

import os
import socket
import struct

import av
import numpy as np
import pytest

from mmkd.commands.transcode.transcoding import transcode_lists
from mmkd.commands.transcode.video import Settings, transcode
from mmkd.datasets.pack_videos import pack_videos
from mmkd.datasets.video_readers import open_video
from mmkd.datasets.video_readers.container import ANY_TAG, MAX_PIXELS, open_container
from mmkd.datasets.video_readers.inspection import FileState, inspect_video
from mmkd.datasets.video_readers.rgb import as_shown
from mmkd.error_lines import one_line_errors
from mmkd.errors import UserError
from tests.datasets.video_readers.numbered import (
    picture,
    plain,
    set_matrix,
    write_numbered,
)

DECODERS = ['pyav', 'decord']


def refusal(path, decoder):
    with pytest.raises(RuntimeError) as caught:
        open_video(str(path), decoder)
    message = str(caught.value)
    assert 'cannot be opened: ' in message and message.isprintable()
    return message


@pytest.mark.parametrize('decoder', DECODERS)
def test_pipes_devices_sockets_and_folders(tmp_path, monkeypatch, decoder):
    """None of them waits for somebody to write."""
    os.mkfifo(tmp_path / 'pipe.mp4')
    (tmp_path / 'folder.mp4').mkdir()
    (tmp_path / 'link.mp4').symlink_to(tmp_path / 'pipe.mp4')
    monkeypatch.chdir(tmp_path)  # the names of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind('socket.mp4')
        for name, kind in (
            *(('pipe', 'a pipe'), ('link', 'a pipe'), ('folder', 'a folder')),
            ('socket', 'a socket'),
        ):
            message = refusal(tmp_path / f'{name}.mp4', decoder)
            assert f'it is {kind}, not a regular file' in message
    assert 'it is a device' in refusal('/dev/zero', decoder)
    assert inspect_video(tmp_path / 'pipe.mp4').error == (
        'it is a pipe, not a regular file'
    )


@pytest.mark.parametrize('decoder', DECODERS)
@pytest.mark.parametrize(
    'name', ['http://127.0.0.1:9/a.mp4', 'concat:a.ts|b.ts', 'file:a.mp4', 'data:,x']
)
def test_no_protocol_reaches_a_decoder(tmp_path, monkeypatch, name, decoder):
    monkeypatch.chdir(tmp_path)
    write_numbered(tmp_path / 'a.mp4', 'mpeg4', 2)
    opened = []
    monkeypatch.setattr(av, 'open', lambda *args, **options: opened.append(args))
    assert 'No such file' in refusal(name, decoder)
    assert not opened


def test_a_file_whose_name_looks_like_a_protocol_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_numbered(tmp_path / 'a.mp4', 'mpeg4', 3).rename('concat:x.mp4')
    for decoder in DECODERS:
        assert len(open_video('concat:x.mp4', decoder)) == 3


@pytest.mark.parametrize('decoder', DECODERS)
def test_play_lists_are_not_followed(tmp_path, decoder):
    write_numbered(tmp_path / 'secret.ts', 'mpeg2video', 5)
    texts = {
        'concat.mp4': 'ffconcat version 1.0\nfile secret.ts\n',
        'hls.mp4': '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.ts\n'
        '#EXT-X-ENDLIST\n',
        'sdp.mp4': 'v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\n'
        'm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
    }
    for name, text in texts.items():
        for suffix in ('mp4', 'avi', 'm3u8'):
            path = (tmp_path / name).with_suffix(f'.{suffix}')
            path.write_text(text)
            refusal(path, decoder)


@pytest.fixture(scope='module')
def huge(tmp_path_factory):
    """One frame of 8192 x 8192, in two containers; small files."""
    folder = tmp_path_factory.mktemp('huge')
    for suffix in ('mp4', 'avi'):
        with av.open(str(folder / f'a.{suffix}'), 'w') as file:
            stream = file.add_stream('mpeg4', rate=25)
            stream.width = stream.height = 8184 if suffix == 'avi' else 8176
            stream.pix_fmt = 'yuv420p'
            size = stream.height
            frame = av.VideoFrame(size, size, 'yuv420p')
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
    return folder


@pytest.mark.parametrize('decoder', DECODERS)
@pytest.mark.parametrize('suffix', ['mp4', 'avi'])
def test_a_frame_of_too_many_pixels(huge, suffix, decoder, monkeypatch):
    path = huge / f'a.{suffix}'
    assert path.stat().st_size < 1_000_000
    message = refusal(path, decoder)
    assert f'over the limit of {MAX_PIXELS}' in message
    assert 'MMKD_MAX_PIXELS' in message
    assert 'over the limit' in inspect_video(path).error
    monkeypatch.setenv('MMKD_MAX_PIXELS', str(8192 * 8192))
    with open_container(path) as file:
        assert file.streams.video[0].codec_context.width > 8000


def test_a_head_that_tells_a_smaller_size_does_not_help(huge, tmp_path):
    """The decoder has the limit, too: no memory is taken for the frame."""
    data = bytearray((huge / 'a.mp4').read_bytes())
    size = struct.pack('>HH', 8176, 8176)
    offset = data.index(size, data.index(b'mp4v'))
    data[offset : offset + 4] = struct.pack('>HH', 64, 64)
    path = tmp_path / 'lies.mp4'
    path.write_bytes(data)
    for decoder in DECODERS:
        with pytest.raises((RuntimeError, ValueError, av.FFmpegError)):
            open_video(str(path), decoder).get_batch([0])


@pytest.mark.parametrize('value', ['0', '-1', 'many', '1e9', '', '9' * 30])
def test_a_limit_that_is_none_is_one_line(tmp_path, monkeypatch, value):
    path = write_numbered(tmp_path / 'a.mp4', 'mpeg4', 2)
    monkeypatch.setenv('MMKD_MAX_PIXELS', value)
    with pytest.raises(UserError, match='MMKD_MAX_PIXELS='):
        open_video(str(path))


def test_text_tags_need_not_be_utf8(tmp_path):
    """As in official HMDB51 clips, which are in test lists."""
    path = tmp_path / 'a.avi'
    with av.open(str(path), 'w') as file:
        file.metadata['title'] = 'TITLE-OF-THE-CLIP'
        stream = file.add_stream('mpeg4', rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = 'yuv420p'
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(picture(number), format='rgb24')
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    data = path.read_bytes()
    assert data.count(b'TITLE-OF-THE-CLIP') == 1
    path.write_bytes(
        data.replace(b'TITLE-OF-THE-CLIP', b'TIT\x8cE\xff\xfe' + b'x' * 10)
    )
    if ANY_TAG:  # what it is for
        with pytest.raises(UnicodeDecodeError):
            av.open(str(path))
    for decoder in DECODERS:
        ours = open_video(str(path), decoder).get_batch(range(5)).asnumpy()
        np.testing.assert_allclose(ours, plain(path), atol=4)
    assert inspect_video(path) == FileState(5, 5)


# What a viewer sees, as quarter turns counter-clockwise after a mirror (left to right).
MATRICES = {
    (1, 0, 0, 1): (False, 0),
    (0, 1, -1, 0): (False, -1),
    (-1, 0, 0, -1): (False, 2),
    (0, -1, 1, 0): (False, 1),
    (-1, 0, 0, 1): (True, 0),
    (1, 0, 0, -1): (True, 2),
    (0, 1, 1, 0): (True, 1),
    (0, -1, -1, 0): (True, -1),
}


@pytest.mark.parametrize('matrix', MATRICES, ids=str)
def test_every_display_matrix(tmp_path, matrix):
    path = write_numbered(tmp_path / 'a.mp4', 'libx264', 3, crf='4')
    stored = plain(path)
    set_matrix(path, *matrix)
    mirror, turns = MATRICES[matrix]
    shown = np.rot90(stored[:, :, ::-1] if mirror else stored, turns, (1, 2))
    # The definition, pixel by pixel: column a x + c y, row b x + d y.
    a, b, c, d = matrix
    rows, columns = np.indices(stored.shape[1:3])
    by_hand = np.empty_like(stored)
    x, y = a * columns + c * rows, b * columns + d * rows
    by_hand[:, y - y.min(), x - x.min()] = stored[:, rows, columns]
    np.testing.assert_array_equal(shown, by_hand)
    np.testing.assert_array_equal(as_shown(stored, matrix), by_hand)
    np.testing.assert_array_equal(
        open_video(str(path), 'pyav').get_batch([0, 1, 2]).asnumpy(), by_hand
    )
    np.testing.assert_allclose(
        open_video(str(path), 'decord').get_batch([0, 1, 2]).asnumpy(), by_hand, atol=4
    )


def test_a_transcoded_video_is_upright(tmp_path):
    path = write_numbered(tmp_path / 'a.mp4', 'libx264', 3, crf='4')
    set_matrix(path, -1, 0, 0, 1)
    expected = open_video(str(path)).get_batch([2]).asnumpy().astype(int)
    transcode(path, tmp_path / 'b.mp4', Settings(64, 4, 4))
    ours = open_video(str(tmp_path / 'b.mp4')).get_batch([2]).asnumpy()
    assert np.abs(ours - expected).mean() < 5


def test_names_with_control_codes_are_escaped_in_messages(tmp_path, capsys):
    name = 'a\x1b[2J\x07\u202eb.mp4'
    (tmp_path / name).write_bytes(b'no video')
    assert '\\x1b[2J\\x07\\u202eb.mp4' in refusal(tmp_path / name, 'pyav')
    (tmp_path / 'list.txt').write_text(f'{name} 0\n')
    with pytest.raises(SystemExit), one_line_errors():
        pack_videos([tmp_path / 'list.txt'], tmp_path, tmp_path / 'packed', 64)
    shown = capsys.readouterr().err
    assert '\x1b' not in shown and '\\x1b[2J' in shown and shown.count('\n') == 1
    summary = transcode_lists([tmp_path / 'list.txt'], tmp_path / 'out', tmp_path)
    assert len(summary.failed) == 1
    assert '\x1b' not in str(summary) and '\\x1b[2J' in str(summary)
