"""The official loaders frame by frame, as the facts describe them; slow and plain.

Each twin asks for its random numbers as the loader does: ``draw(low, high)``, both ends
included, in the loader's order. Frames are 0-based. None of them looks at the package.
"""

from collections.abc import Callable

import numpy as np

Draw = Callable[[int, int], int]


class PastTheEnd(Exception):
    """The official loader stops here: there is no such frame, or nothing to draw."""


def start_among(draw: Draw, low: int, high: int) -> int:
    if high < low:
        raise PastTheEnd
    return draw(low, high)


def checked(frames: list[int], total: int) -> list[int]:
    if min(frames) < 0 or max(frames) >= total:
        raise PastTheEnd
    return frames


def segment_clip(
    total: int,
    clip_len: int,
    num_segments: int,
    start: int,
    segment: int,
    speed: int,
    look_ahead: int,
) -> list[int]:
    """Return a clip of VSPP or auxSKD; all numbers but the frames count from 1."""
    size = clip_len / num_segments
    begin, end = int((segment - 1) * size), int(segment * size)
    fast = [begin <= position <= end for position in range(clip_len)]
    frames, restart = [start], False
    for position in range(1, clip_len):
        # The step to a frame is that of the frame's own segment.
        before = speed if fast[position - 1] else 1
        restart = frames[-1] + look_ahead * before > total
        step = speed if fast[position] else 1
        frames.append(1 if restart else frames[-1] + step)
    return checked([frame - 1 for frame in frames], total)


def vspp(draw: Draw, total: int, clip_len: int, speeds: int, segments: int):
    """Return the clips of VSPP, and (speed, segment) of each, 0-based."""
    speed, segment = draw(1, speeds), draw(1, segments)
    start = start_among(draw, 1, total - clip_len)
    clip = segment_clip(total, clip_len, segments, start, segment, speed, 1)
    return [clip], [(speed - 1, segment - 1)]


def auxskd(draw: Draw, total: int, clip_len: int, speeds: int, segments: int):
    """Return the pair of auxSKD, and (speed, segment) of each, 0-based."""
    student, teacher = draw(1, segments), draw(1, segments)
    while student == teacher:
        teacher = draw(1, speeds)
    drawn = []
    for _ in range(2):
        speed = draw(1, speeds)
        drawn.append([speed, start_among(draw, 1, total - clip_len)])
    while drawn[0][0] == drawn[1][0]:
        drawn[1][0] = draw(1, speeds)
    clips, labels = [], []
    for segment, (speed, start) in zip((student, teacher), drawn, strict=True):
        clips.append(segment_clip(total, clip_len, segments, start, segment, speed, 3))
        labels.append((speed - 1, segment - 1))
    return clips, labels


def pace(draw: Draw, total: int, clip_len: int, paces: int) -> tuple[list[int], int]:
    """Return the clip of VideoPace and its label."""
    step, frame = draw(1, paces), draw(1, total)
    frames = []
    for _ in range(clip_len):
        frames.append(frame - 1)
        frame = 1 if frame + step > total else frame + step
    return frames, step - 1


def vcp(draw: Draw, total: int, clip_len: int, interval: int):
    """Return the three clips of PCL's VCP, and the label of the middle one."""
    span = 3 * clip_len + 2 * interval
    start = start_among(draw, 0, total - span)
    starts = [start, start + 3 + interval, start + 2 * (3 + interval)]
    label = draw(0, 4)
    if label == 4:
        last_before = start - clip_len - 16
        first_after = start + span + 16
        if last_before < 0 or first_after > total - clip_len:
            label = draw(0, 3)
        else:
            both = draw(0, last_before), draw(first_after, total - clip_len)
            starts[1] = both[draw(0, 1)]
    return [checked(list(range(at, at + clip_len)), total) for at in starts], label


def vcop(draw: Draw, total: int, clip_len: int, clips: int, gap: int):
    """Return the clips of VCOP in time."""
    start = start_among(draw, 0, total - clips * clip_len - (clips - 1) * gap)
    return [
        list(range(at, at + clip_len))
        for at in range(start, start + clips * (clip_len + gap), clip_len + gap)
    ]


def window(draw: Draw, total: int, size: int, stride: int) -> list[int]:
    """Return a window of RSPNet."""
    if total < size:
        return [position % total for position in range(size)]
    if total < (size - 1) * stride + 1:
        return [int(frame) for frame in np.round(np.linspace(0, total - 1, size))]
    start = draw(0, total - (size - 1) * stride - 1)
    return [start + position * stride for position in range(size)]


def even_clips(total: int, size: int, stride: int, count: int) -> list[list[int]]:
    """Return the test clips of RSPNet."""
    span = (size - 1) * stride + 1
    if total < span:
        return [window(lambda low, high: low, total, size, stride)] * count
    if count == 1:
        starts = [(total - span) // 2]
    else:
        starts = [int(at) for at in np.round(np.linspace(0, total - span, count))]
    return [list(range(at, at + span, stride)) for at in starts]


def vcop_test_clips(total: int, size: int, count: int) -> list[list[int]]:
    """Return the test clips of VCOP and PCL."""
    if total < size:
        raise PastTheEnd
    starts = [
        int(centre - size / 2)
        for centre in np.linspace(size / 2, total - size / 2, count)
    ]
    return [list(range(at, at + size)) for at in starts]
