"""The order of a video's frames, from its packets: nothing is decoded for it."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import av

# Containers that hold a time and a flag of key frames for every frame.
_TIMED = ('mov', 'matroska')
# AVI numbers packets. With these codecs, which know no B frames, a packet is a frame;
# MPEG-4 is looked into.
_AVI_WITHOUT_B_FRAMES = {
    *('mpeg4', 'mjpeg', 'ffv1', 'huffyuv', 'ffvhuff', 'rawvideo', 'png', 'utvideo'),
    *('msmpeg4v1', 'msmpeg4v2', 'msmpeg4', 'wmv1', 'wmv2', 'h263', 'flv', 'msvideo1'),
    *('cinepak', 'indeo3', 'dvvideo', 'magicyuv', 'lagarith', 'zlib', 'msrle'),
}
# With these, other libraries than PyAV find the right frame after a seek, if no frame
# refers to one on the other side of a key frame.
_COUNTABLE = {'h264', 'hevc', 'mpeg4', 'mjpeg', 'ffv1', 'rawvideo', 'vp8', 'libvpx'}
# A picture of MPEG-4 that is not coded ("show the last one again") has no more bytes;
# the smallest coded ones of tiny videos may as well, which costs time only.
_NOT_CODED = 16
# ISO/IEC 14496-2, 6.2.5: the two bits behind the start code of a picture (VOP) are its
# type.
_VOP = re.compile(rb'\x00\x00\x01\xb6(?=(.))', re.DOTALL)
#: Types of IDR pictures: of H.264, table 7-1, and of H.265, table 7-1 (without the
#: leading pictures that CRA and some BLA pictures may have).
IDR = {'h264': {5}, 'hevc': {18, 19, 20}}


@dataclass(frozen=True)
class PacketIndex:
    """When each frame of a video is shown.

    Attributes:
        times: Presentation times of the frames in units of the stream, rising; empty
            where the packets do not tell them apart.
        keys: Indices of the key frames.
        total_frames: Packets that are not empty and whose frame is shown, which is
            what decord counts where none is hidden.
        fps: Frames a second, of the container.
        seek_times: Times of all key frames, rising, hidden ones included; empty for
            those of ``keys``.
        hidden: Packets whose frame is decoded and not shown: an edit list leaves them
            out, as after a cut without encoding.
        counts: Whether ``total_frames`` can be relied on. Else the frames have to be
            decoded to be counted.
        simple: Whether a library that counts frames from the key frame it went to
            (decord) gives the right ones: every picture is in a packet of its own and
            is shown, and none refers to one on the other side of a key frame.
    """

    times: tuple[int, ...]
    keys: tuple[int, ...]
    total_frames: int
    fps: float
    seek_times: tuple[int, ...] = ()
    hidden: int = 0
    counts: bool = True
    simple: bool = False

    @property
    def seekable(self) -> bool:
        """Whether a frame can be told by its time."""
        known = self.counts and bool(self.times and self.keys)
        return known and not miscounts(self.keys, self.total_frames)

    @property
    def starts(self) -> dict[int, int]:
        """Frames from which decoding can start, rising, and the times to seek to."""
        if not self.seek_times:
            return {key: self.times[key] for key in self.keys}
        numbers = {bisect_left(self.times, time): time for time in self.seek_times}
        return {
            number: time for number, time in numbers.items() if number < len(self.times)
        }


def miscounts(keys: Sequence[int], total_frames: int) -> bool:
    """Tell whether decord would give wrong frames of this video after a seek.

    Clips cut out of a stream without re-encoding (sets 1 and 2 of UT-Interaction)
    start with empty packets that are marked as key frames. decord counts them as
    frames, but not when it seeks past them: every frame is then one or two too early,
    and one that is asked for near the end may be any earlier one.

    So it is if the first two frames are key frames and not all frames are.

    Args:
        keys: Indices of the key frames, from ``get_key_indices``.
        total_frames: Frames of the video.
    """
    return list(keys[:2]) == [0, 1] and len(keys) < total_frames


def can_count(index: PacketIndex) -> bool:
    """Tell whether decord finds the right frames of a video, at once or in order."""
    if index.seekable:
        return index.simple
    plain = index.counts and not index.hidden
    return plain and miscounts(index.keys, index.total_frames)


class _Packet(NamedTuple):  # made for every packet: a frozen dataclass takes longer
    time: int | None
    key: bool
    shown: bool
    plain: bool = True  # one picture of MPEG-4, and one that is surely coded
    b_frame: bool = False
    invisible: bool = False
    closed: bool = True


def index_packets(container: av.container.InputContainer) -> PacketIndex:
    """Read all packets of the first video stream.

    Args:
        container: An open file, which is at its end afterwards.

    Raises:
        ValueError: If it holds no video stream, or an empty one.
        av.FFmpegError: If it cannot be read.
    """
    if not container.streams.video:
        raise ValueError('there is no video stream')
    stream = container.streams.video[0]
    context = stream.codec_context
    codec, extradata = context.name, context.extradata
    packets = [
        _described(p, codec, extradata) for p in container.demux(stream) if p.size
    ]
    if not packets:
        raise ValueError('the video stream is empty')
    shown = [packet for packet in packets if packet.shown]
    times = [packet.time for packet in shown if packet.time is not None]
    known = len(set(times)) == len(shown) and _times_hold(container, packets)
    counts = _packets_are_frames(container, packets) and bool(shown)
    if known:
        shown.sort(key=lambda packet: packet.time or 0)
    keys = tuple(number for number, packet in enumerate(shown) if packet.key)
    hidden = len(packets) - len(shown)
    seek_times = {p.time for p in packets if p.key and p.time is not None}
    alone = not any(p.b_frame and codec == 'mpeg4' for p in packets)
    closed = all(packet.closed for packet in packets)
    return PacketIndex(
        times=tuple(sorted(times)) if known else (),
        keys=keys,
        total_frames=len(shown),
        fps=float(stream.average_rate or stream.guessed_rate or 0),
        seek_times=tuple(sorted(seek_times)) if known and hidden else (),
        hidden=hidden,
        counts=counts,
        simple=alone and closed and not hidden and codec in _COUNTABLE,
    )


def _described(packet: av.Packet, codec: str, extradata: bytes | None) -> _Packet:
    known: dict[str, bool] = {}
    if codec == 'mpeg4':
        # Others are of a packed bit stream (DivX): two pictures in a packet, and later
        # one that only says to show what was there before.
        data = bytes(packet)
        types = vop_types(data)
        known['plain'] = len(data) > _NOT_CODED and len(types) == 1
        known['b_frame'] = 'B' in types
    elif codec in ('vp8', 'libvpx'):
        # RFC 6386, 9.1: bit 4 of the frame tag is show_frame.
        known['invisible'] = not bytes(packet)[0] & 0x10
    elif packet.is_keyframe and codec in IDR:
        known['closed'] = is_closed(bytes(packet), codec, extradata)
    return _Packet(packet.pts, packet.is_keyframe, not packet.is_discard, **known)


def _times_hold(container: av.container.InputContainer, packets: list[_Packet]) -> bool:
    """Tell whether the times of packets are those of the frames in them."""
    context = container.streams.video[0].codec_context
    times = [p.time for p in packets if p.time is not None]
    in_order = times == sorted(times)
    # Packed B frames (two in a packet, then an empty one) come at other times.
    if len(times) < len(packets) or not all(p.plain for p in packets):
        return False
    b_frames = any(packet.b_frame for packet in packets)
    if container.format.name == 'avi':
        # AVI holds no times of presentation; where B frames make them differ from
        # those of decoding, they are guessed, and wrong.
        return context.name in _AVI_WITHOUT_B_FRAMES and in_order and not b_frames
    if context.name == 'mpeg4':
        return in_order != b_frames
    # Times in the order of decoding, though the decoder is told to reorder (Matroska
    # with the header of an AVI).
    mov = container.format.name.startswith('mov')
    return mov or not (in_order and context.has_b_frames)


def _packets_are_frames(
    container: av.container.InputContainer, packets: list[_Packet]
) -> bool:
    """Tell whether each packet with a picture that is shown gives one frame."""
    name = container.format.name
    if name == 'avi':
        return packets[0].key
    if not name.startswith(_TIMED) or any(packet.invisible for packet in packets):
        return False
    # What comes before the first key frame is not decoded.
    timed = [packet for packet in packets if packet.time is not None]
    first = min(timed, key=lambda packet: packet.time or 0, default=packets[0])
    return first.key and packets[0].key


def vop_types(data: bytes) -> str:
    """Return a letter of ``IPBS`` for each picture in a packet of MPEG-4, in order."""
    return ''.join(['IPBS'[code[0] >> 6] for code in _VOP.findall(data)])


def is_closed(data: bytes, codec: str, extradata: bytes | None) -> bool:
    """Tell whether a key packet is an IDR picture.

    Behind an open one, frames come that are shown before it and refer to frames before
    it: who counts frames from there is wrong.

    Args:
        data: The packet.
        codec: ``'h264'`` or ``'hevc'``.
        extradata: Of the stream; tells how the units are divided.
    """
    shift, mask = (0, 0x1F) if codec == 'h264' else (1, 0x3F)
    types = {(unit[0] >> shift) & mask for unit in _units(data, codec, extradata)}
    return bool(types & IDR[codec])


def _units(data: bytes, codec: str, extradata: bytes | None) -> Iterator[bytes]:
    length_offset = 4 if codec == 'h264' else 21
    if not (extradata and extradata[0] == 1 and len(extradata) > length_offset):
        yield from filter(None, data.split(b'\0\0\1')[1:])
        return
    offset, size = 0, (extradata[length_offset] & 3) + 1
    while offset + size < len(data):
        length = int.from_bytes(data[offset : offset + size], 'big')
        yield data[offset + size : offset + size + 1]
        offset += size + length
