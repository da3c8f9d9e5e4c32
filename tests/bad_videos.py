"""Videos with something wrong or unusual about them, made on the spot.

Each kind is a function that writes one file; ``KINDS`` has them all by name.
"""

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import av
import numpy as np

FRAMES = 24
KINDS: dict[str, Callable[[Path], None]] = {}

Maker = Callable[[Path], None]


def kind(name: str) -> Callable[[Maker], Maker]:
    """Add a kind of video under a name that ends in its file's suffix."""

    def add(maker: Maker) -> Maker:
        KINDS[name] = maker
        return maker

    return add


def pictures(count: int, height: int, width: int) -> Iterator[np.ndarray]:
    """Yield frames ``(height, width, 3)`` of noise, each brighter than the last."""
    noise = np.random.default_rng(0).integers(0, 40, (height, width, 3))
    for number in range(count):
        yield (noise + number * 200 // max(count, 2)).astype(np.uint8)


def encode(
    count: int = FRAMES,
    size: tuple[int, int] = (48, 64),
    codec: str = 'mpeg4',
    pixels: str = 'yuv420p',
    suffix: str = 'mp4',
    **options: str,
) -> bytes:
    """Return a video file; ``size`` is height and width, ``options`` are the form's."""
    with NamedTemporaryFile(suffix=f'.{suffix}') as file:
        with av.open(file.name, 'w', options=options) as container:
            stream: Any = container.add_stream(codec, rate=25)
            stream.height, stream.width = size
            stream.pix_fmt = pixels
            container.start_encoding()  # writes the head even without frames
            for picture in pictures(count, *size):
                frame = av.VideoFrame.from_ndarray(picture, 'rgb24')
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return Path(file.name).read_bytes()


def motion_jpeg(count: int = FRAMES, size: tuple[int, int] = (48, 64)) -> bytes:
    """Return an AVI file of JPEG pictures, as cameras and old data sets have them."""
    return encode(count, size, 'mjpeg', 'yuvj420p', 'avi')


def sound() -> bytes:
    """Return an mp4 file without pictures."""
    file = BytesIO()
    with av.open(file, 'w', format='mp4') as container:
        stream: Any = container.add_stream('aac', rate=8000)
        for number in range(8):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 1024), np.float32), 'fltp', 'mono'
            )
            frame.sample_rate, frame.pts = 8000, 1024 * number
            frame.time_base = Fraction(1, 8000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def jpeg(height: int, width: int) -> bytes:
    """Return one JPEG picture."""
    return encode(1, (height, width), 'mjpeg', 'yuvj420p', 'mjpeg')


@kind('good.mp4')
def good(path: Path) -> None:
    path.write_bytes(encode())


@kind('missing.mp4')
def missing(path: Path) -> None:
    pass


@kind('empty.mp4')
def empty(path: Path) -> None:
    path.write_bytes(b'')


@kind('folder.mp4')
def folder(path: Path) -> None:
    path.mkdir()


@kind('broken_link.mp4')
def broken_link(path: Path) -> None:
    path.symlink_to('nowhere.mp4')


@kind('no_rights.mp4')
def no_rights(path: Path) -> None:
    path.write_bytes(encode())
    path.chmod(0)


@kind('noise.mp4')
def noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(20_000))


@kind('text.mp4')
def text(path: Path) -> None:
    path.write_text('<html>404: not found</html>\n' * 50)


@kind('wrong_extension.avi')
def wrong_extension(path: Path) -> None:
    path.write_bytes(encode())


@kind('picture.mp4')
def picture(path: Path) -> None:
    path.write_bytes(jpeg(48, 64))


@kind('audio_only.mp4')
def audio_only(path: Path) -> None:
    path.write_bytes(sound())


@kind('zero_frames.avi')
def zero_frames(path: Path) -> None:
    path.write_bytes(motion_jpeg(0))


@kind('one_frame.mp4')
def one_frame(path: Path) -> None:
    path.write_bytes(encode(1))


@kind('cut_off.mp4')
def cut_off(path: Path) -> None:
    # The table of frames of this format is at its end.
    data = encode()
    path.write_bytes(data[: len(data) // 2])


@kind('cut_off.avi')
def cut_off_avi(path: Path) -> None:
    data = motion_jpeg()
    path.write_bytes(data[: len(data) // 2])


@kind('cut_off.mkv')
def cut_off_mkv(path: Path) -> None:
    data = encode(suffix='mkv')
    path.write_bytes(data[: len(data) // 2])


@kind('cut_off_behind_its_table.mp4')
def cut_off_behind_its_table(path: Path) -> None:
    data = encode(movflags='faststart')
    path.write_bytes(data[: len(data) * 2 // 3])


@kind('damaged_head.mp4')
def damaged_head(path: Path) -> None:
    data = encode(movflags='faststart')
    path.write_bytes(bytes(200) + data[200:])


@kind('damaged_middle.mp4')
def damaged_middle(path: Path) -> None:
    data, draw = bytearray(encode()), np.random.default_rng(0)
    third = len(data) // 3
    data[third : 2 * third] = draw.bytes(third)
    path.write_bytes(bytes(data))


@kind('zeros_in_the_middle.avi')
def zeros_in_the_middle(path: Path) -> None:
    data = bytearray(motion_jpeg())
    third = len(data) // 3
    data[third : 2 * third] = bytes(third)
    path.write_bytes(bytes(data))


@kind('one_pixel.avi')
def one_pixel(path: Path) -> None:
    path.write_bytes(encode(size=(1, 1), codec='ffv1', pixels='bgr0', suffix='avi'))


@kind('narrow.avi')
def narrow(path: Path) -> None:
    path.write_bytes(motion_jpeg(size=(20, 12)))


@kind('odd_size.mkv')
def odd_size(path: Path) -> None:
    path.write_bytes(
        encode(size=(47, 63), suffix='mkv', pixels='yuv444p', codec='ffv1')
    )


@kind('ten_bit.mkv')
def ten_bit(path: Path) -> None:
    path.write_bytes(encode(codec='ffv1', pixels='yuv420p10le', suffix='mkv'))


@kind('gray.mkv')
def gray(path: Path) -> None:
    path.write_bytes(encode(codec='ffv1', pixels='gray', suffix='mkv'))


@kind('with_alpha.mov')
def with_alpha(path: Path) -> None:
    path.write_bytes(encode(codec='qtrle', pixels='argb', suffix='mov'))


@kind('rotated.mp4')
def rotated(path: Path) -> None:
    """A quarter turn, as a telephone writes it into the matrix of the track."""
    data = encode()
    upright = b''.join(
        n.to_bytes(4, 'big') for n in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    )
    turned = b''.join(
        n.to_bytes(4, 'big', signed=True)
        for n in (0, 0x10000, 0, -0x10000, 0, 0, 48 << 16, 0, 0x40000000)
    )
    track = data.index(b'tkhd')
    offset = data.index(upright, track)
    path.write_bytes(data[:offset] + turned + data[offset + 36 :])


@kind('two_sizes.avi')
def two_sizes(path: Path) -> None:
    """Half of the pictures are twice as large as the head of the file says."""
    with av.open(str(path), 'w') as container:
        stream: Any = container.add_stream('mjpeg', rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuvj420p'
        container.start_encoding()
        for number in range(FRAMES):
            packet = av.Packet(jpeg(48, 64) if number < 12 else jpeg(96, 128))
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            container.mux(packet)


@kind('no_frame_rate.mjpeg')
def no_frame_rate(path: Path) -> None:
    path.write_bytes(jpeg(48, 64) * 12)


@kind('very_long.avi')
def very_long(path: Path) -> None:
    path.write_bytes(motion_jpeg(10_000, (32, 32)))


@kind('hangs.mp4')
def hangs(path: Path) -> None:
    """A pipe that nobody writes to: opening it never ends."""
    os.mkfifo(path)
