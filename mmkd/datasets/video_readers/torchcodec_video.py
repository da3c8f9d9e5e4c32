"""Read frames through TorchCodec where it tells frames apart."""

from mmkd.datasets.video_readers.base import (
    DecodedFrames,
    FrameReader,
    Indices,
    checked,
)
from mmkd.datasets.video_readers.pyav_video import PyAVVideo


class TorchCodecVideo(FrameReader):
    """A video file, read through TorchCodec.

    Its source: https://github.com/meta-pytorch/torchcodec.

    TorchCodec goes by the times of frames. Where these are not to be trusted (AVI files
    with B frames, clips that begin with empty packets), it gives other frames than the
    ones asked for, and the file is read through PyAV.

    Args:
        path: The file.
        num_threads: Threads of the decoder. Defaults to 1.

    Raises:
        ImportError: If TorchCodec, or the FFmpeg it needs, cannot be loaded.
        ValueError: If the file holds no video.
        av.FFmpegError: If it cannot be read.
    """

    def __init__(self, path: str, num_threads: int = 1) -> None:
        from torchcodec.decoders import VideoDecoder

        self.plain = PyAVVideo(path, num_threads)
        self.decoder = None
        if self.plain.index.seekable:
            self.decoder = VideoDecoder(
                path, dimension_order='NHWC', num_ffmpeg_threads=num_threads
            )
            if len(self.decoder) != len(self.plain):
                self.decoder = None

    def __len__(self) -> int:
        return len(self.plain)

    def get_avg_fps(self) -> float:
        """Return the frames a second."""
        return self.plain.get_avg_fps()

    def get_key_indices(self) -> list[int]:
        """Return the frames that can be decoded without another one."""
        return self.plain.get_key_indices()

    def get_batch(self, indices: Indices) -> DecodedFrames:
        """Return copies of some frames.

        Raises:
            IndexError: If there is no such frame.
            RuntimeError: If the file cannot be decoded.
        """
        if self.decoder is None:
            return self.plain.get_batch(indices)
        wanted = checked(indices, len(self)).tolist()
        return DecodedFrames(self.decoder.get_frames_at(wanted).data.numpy())
