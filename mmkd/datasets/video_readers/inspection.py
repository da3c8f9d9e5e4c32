"""Is a file a video that decodes, and how many frames are really there?"""

from dataclasses import dataclass
from pathlib import Path

import av

from mmkd.datasets.video_readers.container import open_container
from mmkd.datasets.video_readers.pyav_video import PyAVVideo
from mmkd.files import regular_file


@dataclass(frozen=True)
class FileState:
    """What opening a file has shown.

    Attributes:
        frames: Number of frames in the file, counted.
        announced: Number that the container claims; 0 if it claims none.
        error: Why it cannot be read; empty if it can.
    """

    frames: int
    announced: int
    error: str = ''

    @property
    def cut_off(self) -> bool:
        """Whether more than a tenth of the announced frames is not there."""
        return self.frames < 0.9 * self.announced


def _count_frames(path: Path) -> FileState:
    with open_container(path) as container:
        if not container.streams.video:
            return FileState(0, 0, 'no video stream')
        stream = container.streams.video[0]
        announced, stream.thread_type = stream.frames, 'NONE'
        if not any(_frame_decodes(packet) for packet in container.demux(video=0)):
            packets = sum(p.size > 0 for p in container.demux(video=0))
            return FileState(packets, announced, 'no frame decodes')
    # As it is counted when it is read; hidden frames are announced, too.
    index = PyAVVideo(str(path)).index
    return FileState(index.total_frames, max(0, announced - index.hidden))


def _frame_decodes(packet: av.Packet) -> bool:
    # One damaged packet does not make a video unreadable; the next may decode.
    try:
        return bool(packet.decode())
    except av.FFmpegError:
        return False


def inspect_video(path: Path) -> FileState:
    """Count the frames of a video and decode its first one.

    All packets are read, but only as many decoded as the first frame takes. The count
    is the one that decord reports; a container's own claim is wrong for a file that
    was cut off, and absent in Matroska.
    """
    try:
        regular_file(path)
        if path.stat().st_size == 0:
            return FileState(0, 0, 'the file is empty')
        return _count_frames(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or str(error)
        return FileState(0, 0, reason)
