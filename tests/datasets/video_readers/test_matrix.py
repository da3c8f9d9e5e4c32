"""Every reader gives frame i of a plain decode for i, whatever the file is."""

import importlib.util
import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import decord
import numpy as np
import pytest

from mmkd.commands.transcode.video import Settings, transcode
from mmkd.datasets.pack_videos import pack_videos
from mmkd.datasets.packed_videos import PackedVideos
from mmkd.datasets.transforms import DecodeViews
from mmkd.datasets.video_readers import open_video
from tests.datasets.video_readers.numbered import (
    FRAMES,
    hide_frames,
    numbers,
    plain,
    write_numbered,
    write_packed,
)

Maker = Callable[[Path], Path]
X264 = {'g': '12', 'sc_threshold': '0', 'preset': 'ultrafast', 'crf': '8'}
MPEG = {'g': '12', 'b': '6000000', 'b_strategy': '0', 'qmin': '1'}
FRAGMENTS = 'frag_keyframe+empty_moov'
VP = {'g': '12', 'deadline': 'realtime', 'b': '2M', 'lag-in-frames': '8'}


def x265(b_frames: int, open_gop: int) -> dict[str, str]:
    text = f'keyint=12:bframes={b_frames}:open-gop={open_gop}:log-level=none:crf=8'
    return {'x265-params': text, 'preset': 'ultrafast'}


def of(codec: str, **options: str) -> Maker:
    return lambda path: write_numbered(path, codec, **options)


def apart(codec: str, **options: str) -> Maker:
    """Write in a process of its own.

    Started by root, SVT-AV1 turns its process into one of real time (SCHED_FIFO), and
    all that are forked off it: one that computes for ever then stops the machine.
    """

    def write(path: Path) -> Path:
        kinds = multiprocessing.get_context('spawn')
        process = kinds.Process(
            target=write_numbered, args=(path, codec), kwargs=options
        )
        process.start()
        process.join()
        if process.exitcode:
            raise ValueError(f'status {process.exitcode}')
        return path

    return write


def hidden(count: int, **options: str) -> Maker:
    return lambda path: hide_frames(
        write_numbered(path, 'libx264', **X264, **options), count
    )


QUICK: dict[str, Maker] = {
    'h264_b2.mp4': of('libx264', bf='2', **X264),
    'h264_open_gop.mkv': of('libx264', bf='2', **{**X264, 'x264-params': 'open-gop=1'}),
    'h264_b2.avi': of('libx264', bf='2', **X264),
    'h264_b2.ts': of('libx264', bf='2', **X264),
    'h264_fragments.mp4': of('libx264', bf='2', movflags=FRAGMENTS, **X264),
    'mpeg4_b0.avi': of('mpeg4', bf='0', **MPEG),
    'mpeg4_b2.avi': of('mpeg4', bf='2', **MPEG),
    'mpeg4_b2.mp4': of('mpeg4', bf='2', **MPEG),
    'packed_b1.avi': lambda path: write_packed(path, bf='1', **MPEG),
    'packed_b2.avi': lambda path: write_packed(path, bf='2', **MPEG),
    'mpeg2_b2.ts': of('mpeg2video', bf='2', **MPEG),
    'wmv2.wmv': of('wmv2', g='12', b='6000000'),
    # The last frame is a key frame.
    'last_key.ts': of('mpeg2video', bf='0', **{**MPEG, 'g': str(FRAMES - 1)}),
    'hidden.mp4': hidden(14, bf='2'),
}
SLOW: dict[str, Maker] = {
    **{
        f'h264_b{bf}.{suffix}': of('libx264', bf=bf, **X264)
        for bf in '02'
        for suffix in ('mp4', 'mov', 'mkv', 'avi', 'ts', 'flv')
    },
    **{
        f'mpeg4_b{bf}.{suffix}': of('mpeg4', bf=bf, **MPEG)
        for bf in '02'
        for suffix in ('mp4', 'mov', 'mkv', 'avi')
    },
    **{
        f'mpeg2_b{bf}.{suffix}': of('mpeg2video', bf=bf, **MPEG)
        for bf in '02'
        for suffix in ('mpg', 'ts', 'mkv', 'avi', 'mp4')
    },
    **{
        f'hevc_b{bf}_open{gop}.{suffix}': of('libx265', **x265(bf, gop))
        for bf in (0, 2)
        for gop in (0, 1)
        for suffix in ('mp4', 'mkv')
    },
    'mpeg4_fragments.mp4': of('mpeg4', bf='2', movflags=FRAGMENTS, **MPEG),
    'h264_open_gop.mp4': QUICK['h264_open_gop.mkv'],
    'h264_refresh.mp4': of('libx264', **{**X264, 'x264-params': 'intra-refresh=1'}),
    'packed_b3.avi': lambda path: write_packed(path, bf='3', **MPEG),
    'wmv2.avi': of('wmv2', g='12', b='6000000'),
    'msmpeg4.avi': of('msmpeg4', g='12', b='6000000', qmin='1'),
    'flv1.flv': of('flv', g='12', b='6000000', qmin='1'),
    **{f'mjpeg.{suffix}': of('mjpeg', qmin='1') for suffix in ('avi', 'mp4', 'mkv')},
    'vp8.webm': of('libvpx', **VP),
    'vp9.webm': of('libvpx-vp9', **{**VP, 'cpu-used': '8'}),
    'av1.mp4': apart('libsvtav1', g='12', preset='12', crf='20'),
    'hidden_5.mp4': hidden(5, bf='0'),
    'hidden_26.mp4': hidden(26, bf='2'),
}
SLOW = {name: make for name, make in SLOW.items() if name not in QUICK}
NAMES = [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]

DECODERS = ['pyav', 'decord']
if importlib.util.find_spec('torchcodec') is not None:
    DECODERS.append('torchcodec')


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """Return a function that makes a file and decodes it from its start, once."""
    folder = tmp_path_factory.mktemp('numbered')
    known: dict[str, tuple[Path, np.ndarray]] = {}

    def make(name: str) -> tuple[Path, np.ndarray]:
        if name not in known:
            try:
                path = {**SLOW, **QUICK}[name](folder / name)
            except (av.FFmpegError, ValueError) as error:
                pytest.skip(f'this PyAV cannot write it: {error}')
            known[name] = path, plain(path)
        return known[name]

    return make


def selections(count: int, every: bool) -> list[list[int]]:
    """Return frames to ask for: single ones, strides from several starts, no order."""
    last = count - 1
    singles = range(count) if every else (0, 1, 2, 7, 11, 12, 13, last - 1, last)
    strides, starts = ((2, 3, 5, 13), (0, 1, 11)) if every else ((2, 5), (0, 11))
    found = [[index] for index in singles]
    found += [list(range(at, count, step)) for step in strides for at in starts]
    return [*found, [last, 0, 9, 9, 3]]


@pytest.mark.parametrize('name', NAMES)
def test_the_plain_decode_shows_every_number(made, name):
    """What the others are compared with, against what was drawn."""
    shown = numbers(made(name)[1])
    first = FRAMES - len(shown)
    if 'b2' in name or 'b3' in name or 'hevc' in name or 'vp' in name or 'av1' in name:
        # Frames between others are coded coarsely.
        assert np.abs(np.array(shown) - np.arange(first, FRAMES)).max() <= 2
    else:
        assert shown == list(range(first, FRAMES))
    assert len(set(shown)) > 0.6 * len(shown)


@pytest.mark.filterwarnings('ignore:.*decord fails')
@pytest.mark.parametrize('decoder', DECODERS)
@pytest.mark.parametrize('name', NAMES)
def test_frames_by_their_numbers(made, name, decoder):
    path, frames = made(name)
    reader = open_video(str(path), decoder)
    assert len(reader) == len(frames)
    for wanted in selections(len(frames), name in SLOW):
        fresh = open_video(str(path), decoder)
        for one in (fresh, reader):
            check(one.get_batch(wanted).asnumpy(), frames[wanted], decoder == 'pyav')
    rising = list(range(1, len(frames), 3))
    check(np.stack(list(reader.each(rising))), frames[rising], decoder == 'pyav')


def check(ours, expected, exact):
    if exact:
        np.testing.assert_array_equal(ours, expected)
    else:
        # decord's older FFmpeg rounds otherwise.
        assert numbers(ours) == numbers(expected)
        assert np.abs(ours.astype(int) - expected).mean() < 2


@pytest.mark.parametrize('name', NAMES)
def test_decord_init_before_decode_views(made, name):
    path, frames = made(name)
    if name.startswith('av1'):
        pytest.skip('decord cannot open it')
    for wanted in ([12], list(range(1, len(frames), 5))):
        sample = {
            'filename': str(path),
            'video_reader': decord.VideoReader(str(path), num_threads=1),
            'frame_inds': np.array(wanted),
        }
        if name.startswith('vp9') and len(wanted) == 1:
            continue  # decord 0.6 fails after a seek there
        images = np.stack(DecodeViews().transform(sample)['imgs'])
        assert numbers(images) == numbers(frames[wanted])


@pytest.mark.parametrize('name', NAMES)
def test_packed_and_transcoded(made, name, tmp_path):
    path, frames = made(name)
    (tmp_path / 'list.txt').write_text(f'{path.name} 0\n')
    pack_videos([tmp_path / 'list.txt'], path.parent, tmp_path / 'packed', 64)
    packed = PackedVideos(tmp_path / 'packed').open(str(path))
    np.testing.assert_array_equal(packed.get_batch(range(len(packed))).frames, frames)

    new = tmp_path / 'new.mp4'
    transcode(path, new, Settings(short_side=64, gop=6, crf=4))
    again = open_video(str(new)).get_batch(range(len(frames))).asnumpy()
    assert numbers(again) == numbers(frames)
    assert len(open_video(str(new))) == len(frames)


def test_what_is_ordinary_is_read_by_seeking(made, tmp_path):
    """Accuracy is not bought by decoding every video from its start."""
    for name in ('h264_b2.mp4', 'mpeg4_b0.avi', 'hidden.mp4', 'h264_fragments.mp4'):
        assert open_video(str(made(name)[0]), 'pyav').index.seekable, name
    for name in ('packed_b1.avi', 'mpeg4_b2.avi', 'mpeg2_b2.ts', 'wmv2.wmv'):
        assert not open_video(str(made(name)[0]), 'pyav').index.seekable, name
    reader = open_video(str(shutil.copy(made('h264_b2.mp4')[0], tmp_path)), 'decord')
    assert reader.trusted
