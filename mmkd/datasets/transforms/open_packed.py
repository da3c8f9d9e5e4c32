"""Open a video of a packed data set instead of its file."""

from functools import cached_property
from typing import Any

from mmcv.transforms import BaseTransform

from mmkd.datasets.packed.reading import PackedVideos
from mmkd.registry import TRANSFORMS


@TRANSFORMS.register_module()
class OpenPacked(BaseTransform):
    """Stand in for :class:`OpenVideo` where the frames are decoded already.

    Needs ``filename``. Writes ``video_reader``, ``total_frames`` and ``avg_fps``;
    :class:`DecodeViews` and MMAction2's ``DecordDecode`` then read from memory. The
    file is mapped once a process, and its pages are shared by all workers.

    Source: ours.

    Args:
        folder: Folder that ``tools/data/pack.py`` wrote.

    Example:
        >>> pipeline = [
        ...     dict(type='mmkd.OpenPacked', folder='packed/ut'),
        ...     dict(type='mmkd.PaceViews', clip_len=16),
        ...     dict(type='mmkd.DecodeViews'),
        ... ]
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    @cached_property
    def videos(self) -> PackedVideos:
        """The packed videos, mapped at the first use in a process."""
        return PackedVideos(self.folder)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Open one sample's video.

        Raises:
            UserError: If it was not packed, or its file has another size now.
        """
        reader = self.videos.open(results['filename'])
        results['video_reader'] = reader
        results['total_frames'] = len(reader)
        results['avg_fps'] = reader.get_avg_fps()
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.folder!r})'
