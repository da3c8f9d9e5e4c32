"""Small videos that are written for a test."""

import av
import numpy as np


def pictures(count, height, width, seed=0):
    """Return coarse noise that moves, so that every frame differs ``(F, H, W, 3)``."""
    rng = np.random.default_rng(seed)
    tiles = rng.integers(0, 256, (-(-height // 8), -(-width // 8), 3), np.uint8)
    picture = tiles.repeat(8, 0).repeat(8, 1)[:height, :width]
    return np.stack([np.roll(picture, 3 * i, 1) for i in range(count)])


def write(path, frames, codec='libx264', pixels='yuv420p', **options):
    """Write a video of 25 frames a second."""
    with av.open(str(path), 'w') as file:
        stream = file.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pixels
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
        file.mux(stream.encode(None))
    return str(path)


def in_order(path):
    """Decode a whole video, frame after frame, in the plainest way."""
    with av.open(str(path)) as file:
        frames = [f.to_ndarray(format='rgb24') for f in file.decode(video=0)]
    return np.stack(frames)


def turn(path):
    """Let an MP4 file say that its pictures are to be turned when shown."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b'tkhd') + 4 + 40
    one = (1 << 16).to_bytes(4, 'big')
    rows = [bytes(4), one, bytes(4), (-(1 << 16)).to_bytes(4, 'big', signed=True)]
    data[matrix : matrix + 16] = b''.join(rows)
    path.write_bytes(data)
