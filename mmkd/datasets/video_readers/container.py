"""Open a file without decoding its first frames for it."""

from os.path import splitext

import av
from av.container import InputContainer

# FFmpeg looks for the form of the pixels by decoding a frame of each stream, sound
# included, which takes as long as ten wanted frames. MP4 and QuickTime say everything
# else in their header, and the decoder finds the form out by itself.
_HEADER_ONLY = {'codec_whitelist': 'none', 'probesize': '32'}
_ALL_PACKETS = 48  # AVDISCARD_ALL
_WITH_HEADER = ('.mp4', '.m4v', '.mov')


def open_container(path: str) -> InputContainer:
    """Open a file to read the packets and frames of its first video stream.

    Args:
        path: The file.

    Raises:
        av.FFmpegError: If it cannot be opened.
    """
    if splitext(path)[1].lower() not in _WITH_HEADER:
        return _without_others(av.open(path))
    container = av.open(path, options=_HEADER_ONLY)
    streams = container.streams.video[:1]
    if container.format.name.startswith('mov') and all(s.average_rate for s in streams):
        return _without_others(container)
    container.close()
    return _without_others(av.open(path))


def _without_others(container: InputContainer) -> InputContainer:
    """Have the packets of all other streams, such as sound, left out."""
    for stream in container.streams:
        if stream not in container.streams.video[:1] and hasattr(stream, 'discard'):
            stream.discard = _ALL_PACKETS  # type: ignore[assignment]
    return container
