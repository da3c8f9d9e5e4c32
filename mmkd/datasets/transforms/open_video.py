"""Open a video with the fastest decoder that is installed."""

from typing import Any

from mmcv.transforms import BaseTransform

from mmkd.datasets.video_readers import choose_decoder, open_video
from mmkd.registry import TRANSFORMS


@TRANSFORMS.register_module()
class OpenVideo(BaseTransform):
    """Stand in for MMAction2's ``DecordInit``, with a choice of decoders.

    Whichever is chosen, a frame number means the same frame, also on clips where
    decord or TorchCodec by themselves err after a seek. Pixels are equal where the
    libraries have one FFmpeg release in them, and differ by a few levels else
    (docs/data.md). Reads local files only.

    Needs ``filename``. Writes ``video_reader``, ``total_frames`` and ``avg_fps``.

    Source: ours.

    Args:
        decoder: ``'decord'``, ``'pyav'``, ``'torchcodec'``, or ``'auto'`` for the one
            that we measured to be fastest among those installed. Defaults to
            ``'auto'``.
        num_threads: Threads of the decoder. Defaults to 1: workers are processes.

    Raises:
        UserError: If there is no such decoder, or it is not installed.

    Example:
        >>> pipeline = [
        ...     dict(type='mmkd.OpenVideo', decoder='pyav', num_threads=2),
        ...     dict(type='SampleFrames', clip_len=16, frame_interval=1, num_clips=1),
        ...     dict(type='mmkd.DecodeViews'),
        ... ]
    """

    def __init__(self, decoder: str = 'auto', num_threads: int = 1) -> None:
        self.decoder = choose_decoder(decoder)
        self.num_threads = num_threads

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Open one sample's video.

        Raises:
            UserError: If the decoder cannot be loaded.
            RuntimeError: If the file cannot be opened; it is named.
        """
        reader = open_video(results['filename'], self.decoder, self.num_threads)
        results['video_reader'] = reader
        results['total_frames'] = len(reader)
        results['avg_fps'] = reader.get_avg_fps()
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(decoder={self.decoder!r}, '
            f'num_threads={self.num_threads})'
        )
