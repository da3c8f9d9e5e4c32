"""The order of a video's frames, from its packets: nothing is decoded for it."""

from dataclasses import dataclass

import av

from mmkd.datasets.video_readers.decord_reading import miscounts


@dataclass(frozen=True)
class PacketIndex:
    """When each frame of a video is shown.

    Attributes:
        times: Presentation times of the frames in units of the stream, rising; empty
            where the packets do not tell them apart.
        keys: Indices of the key frames.
        total_frames: Packets that are not empty, which is what decord counts.
        fps: Frames a second, of the container.
    """

    times: tuple[int, ...]
    keys: tuple[int, ...]
    total_frames: int
    fps: float

    @property
    def seekable(self) -> bool:
        """Whether a frame can be told by its time."""
        known = bool(self.times and self.keys)
        return known and not miscounts(self.keys, self.total_frames)


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
    packets = [
        (packet.pts, packet.is_keyframe)
        for packet in container.demux(stream)
        if packet.size
    ]
    if not packets:
        raise ValueError('the video stream is empty')
    times = [time for time, _ in packets if time is not None]
    known = len(set(times)) == len(packets)
    if container.format.name == 'avi':
        # AVI holds no times of presentation; where B frames make them differ from
        # those of decoding, they are guessed, and wrong.
        known = known and times == sorted(times)
    if known:
        packets.sort()
    return PacketIndex(
        times=tuple(sorted(times)) if known else (),
        keys=tuple(place for place, (_, is_key) in enumerate(packets) if is_key),
        total_frames=len(packets),
        fps=float(stream.average_rate or stream.guessed_rate or 0),
    )
