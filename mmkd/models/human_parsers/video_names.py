"""Find what belongs to a video by its name."""

from collections.abc import Iterator
from pathlib import PurePosixPath


def name_tails(video: str) -> Iterator[str]:
    """Yield a video's path without its ending, and then shorter ends of it.

    The longest that is known somewhere is the best: ``data/set/videos/a/b.mp4`` gives
    ``data/set/videos/a/b``, ``set/videos/a/b`` ... ``a/b``, ``b``.

    Args:
        video: Path of the video, absolute or relative to any folder.
    """
    path = PurePosixPath(video.replace('\\', '/'))
    parts = [part for part in path.with_suffix('').parts if part not in ('/', '..')]
    for first in range(len(parts)):
        yield '/'.join(parts[first:])
