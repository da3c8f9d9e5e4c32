"""Read frames through TorchCodec where it tells frames apart."""

from mmkd.datasets.video_readers.frame_reader import (
    DecodedFrames,
    FrameReader,
    Indices,
    checked,
)
from mmkd.datasets.video_readers.pyav_video import PyAVVideo
from mmkd.files import regular_file


class TorchCodecVideo(PyAVVideo):
    """A video file, read through TorchCodec where that gives the right frames.

    Its source: https://github.com/meta-pytorch/torchcodec.

    TorchCodec goes by the times of frames. Where these are not to be trusted (AVI files
    with B frames, clips that begin with empty packets), it gives other frames than the
    ones asked for, and the file is read through PyAV; also files that are to be turned
    or mirrored, or of which frames are hidden.

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

        super().__init__(path, num_threads)
        self.decoder = None
        if self.index.seekable and self.index.simple and self.upright():
            self.decoder = VideoDecoder(
                regular_file(path),
                dimension_order='NHWC',
                num_ffmpeg_threads=num_threads,
            )
            if len(self.decoder) != len(self):
                self.decoder = None

    def get_batch(self, indices: Indices) -> DecodedFrames:
        """Return copies of some frames.

        Raises:
            IndexError: If there is no such frame.
            RuntimeError: If the file cannot be decoded.
        """
        if self.decoder is None:
            return super().get_batch(indices)
        wanted = checked(indices, len(self)).tolist()
        return DecodedFrames(self.decoder.get_frames_at(wanted).data.numpy())

    each = FrameReader.each
