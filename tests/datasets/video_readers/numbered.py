"""Tiny videos in which every frame tells its number, in many containers and codecs."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from mmkd.datasets.video_readers.container import ANY_TAG

#: Grey levels between one frame and the next.
STEP = 5
FRAMES = 40
SIZE = 64


def picture(number: int, size: int = SIZE) -> np.ndarray:
    """Return a grey frame whose level tells its number, with some texture at its edge.

    The four corners differ, so that a turned or mirrored picture is known.
    """
    frame = np.full((size, size, 3), 16 + STEP * number, np.uint8)
    quarter = size // 4
    frame[:quarter, :quarter] = 255, 0, 0
    frame[:quarter, -quarter:] = 0, 255, 0
    frame[-quarter:, :quarter] = 0, 0, 255
    shift = 3 * number % (size - 8)
    frame[-8:, shift : shift + 8] = 255
    return frame


def numbers(frames: np.ndarray) -> list[int]:
    """Read the numbers of frames ``(F, H, W, 3)``."""
    middle = frames.shape[1] // 2
    part = frames[:, middle - 6 : middle + 6, middle - 6 : middle + 6]
    levels = part.reshape(len(frames), -1).mean(1)
    return np.round((levels - 16) / STEP).astype(int).tolist()


def write_numbered(
    path: Path,
    codec: str,
    frames: int = FRAMES,
    form: str | None = None,
    movflags: str = '',
    **options: str,
) -> Path:
    """Write a video of 25 frames a second.

    Args:
        path: The file; its suffix names the container, unless ``form`` does.
        codec: The encoder.
        frames: Number of frames.
        form: FFmpeg's name of the container.
        movflags: Of MP4.
        **options: Of the encoder.
    """
    of_form = {'movflags': movflags} if movflags else {}
    with av.open(str(path), 'w', format=form, options=of_form) as file:
        stream = file.add_stream(codec, rate=25, options=options)
        stream.width = stream.height = SIZE
        stream.pix_fmt = 'yuvj420p' if codec == 'mjpeg' else 'yuv420p'
        stream.codec_context.thread_count = 1
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number), format='rgb24')
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def write_packed(path: Path, frames: int = FRAMES, **options: str) -> Path:
    """Write MPEG-4 with B frames as DivX packs it into AVI.

    A packet with P and the first B frame behind it, the other B frames, and a packet of
    "not coded" for the one that is too few.
    """
    whole = write_numbered(path.with_suffix('.whole.avi'), 'mpeg4', frames, **options)
    with av.open(str(whole)) as file:
        stream = file.streams.video[0]
        packets = [bytes(packet) for packet in file.demux(stream) if packet.size]
    whole.unlink()
    vop = b'\0\0\1\xb6'
    offset = packets[0].index(vop)
    mark = b'\0\0\1\xb2DivX503b1393p'
    packets[0] = packets[0][:offset] + mark + packets[0][offset:]
    is_b = [data[data.index(vop) + 4] >> 6 == 2 for data in packets]
    packed: list[bytes] = []
    waiting = False
    for number, data in enumerate(packets):
        if is_b[number] and not is_b[number - 1]:
            packed[-1] += data
            waiting = True
            continue
        if not is_b[number] and waiting:
            packed.append(vop + b'\x51\xcf')
            waiting = False
        packed.append(data)
    if waiting:
        packed.append(vop + b'\x51\xcf')
    return _mux(path, packed)


def _mux(path: Path, packets: list[bytes]) -> Path:
    with av.open(str(path), 'w') as file:
        stream = file.add_stream('mpeg4', rate=25)
        stream.width = stream.height = SIZE
        stream.pix_fmt = 'yuv420p'
        for number, data in enumerate(packets):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            packet.is_keyframe = number == 0
            file.mux(packet)
    return path


def hide_frames(path: Path, count: int) -> Path:
    """Have the edit list of an MP4 file begin so many frames later."""
    data = bytearray(path.read_bytes())
    scale_at = data.index(b'mdhd') + 4 + 12
    (scale,) = struct.unpack('>I', data[scale_at : scale_at + 4])
    entry = data.index(b'elst') + 4 + 8
    duration, start = struct.unpack('>Ii', data[entry : entry + 8])
    movie_at = data.index(b'mvhd') + 4 + 12
    (movie,) = struct.unpack('>I', data[movie_at : movie_at + 4])
    later = start + count * scale // 25
    data[entry : entry + 8] = struct.pack('>Ii', duration - count * movie // 25, later)
    path.write_bytes(data)
    return path


def set_matrix(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Write a display matrix into the track of an MP4 file."""
    data = bytearray(path.read_bytes())
    offset = data.index(b'tkhd') + 4 + 40
    one = 1 << 16
    rows = (a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    data[offset : offset + 36] = struct.pack('>9i', *rows)
    path.write_bytes(data)
    return path


def plain(path: Path) -> np.ndarray:
    """Decode a whole file from its start, as players do ``(F, H, W, 3)``."""
    with av.open(str(path), **ANY_TAG) as file:
        return np.stack([f.to_ndarray(format='rgb24') for f in file.decode(video=0)])
