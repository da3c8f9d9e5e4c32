"""Open a video file safely, and without decoding its first frames for it."""

import os
from os.path import splitext
from typing import Any

import av
from av.container import InputContainer

from mmkd.errors import UserError
from mmkd.files import regular_file

# FFmpeg looks for the form of the pixels by decoding a frame of each stream, sound
# included, which takes as long as ten wanted frames. MP4 and QuickTime say everything
# else in their header, and the decoder finds the form out by itself.
_HEADER_ONLY = {'codec_whitelist': 'none', 'probesize': '32'}
_ALL_PACKETS = 48  # AVDISCARD_ALL
_WITH_HEADER = ('.mp4', '.m4v', '.mov')

# Play lists (HLS, DASH, concat, SDP), drawings and scripts name other files and
# addresses, which FFmpeg would open; no form below does, and no protocol but files
# is spoken.
_FORMATS = (
    'mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,asf_o,flv,live_flv,mpeg,mpegts,'
    'mpegvideo,m4v,h263,h264,hevc,av1,obu,ivf,vc1,vc1test,rm,ogg,nut,mxf,dv,gxf,wtv,'
    'nsv,nuv,swf,roq,smk,bink,flic,mjpeg,mpjpeg,yuv4mpegpipe,gif,gif_pipe,apng,'
    'jpeg_pipe,png_pipe,bmp_pipe,webp_pipe,tiff_pipe,dirac,cavsvideo,evc,vvc,mlv'
)
_LOCAL_ONLY = {'protocol_whitelist': 'file', 'format_whitelist': _FORMATS}

# Tags need not be UTF-8. PyAV 19 keeps such bytes by itself and knows no argument.
_KEEPS_TAGS = int(av.__version__.split('.')[0]) >= 19
#: Arguments of ``av.open`` that let a file have tags in any encoding.
ANY_TAG: dict[str, Any] = {} if _KEEPS_TAGS else {'metadata_errors': 'ignore'}

#: Pixels of a frame that are decoded without being asked: a little over DCI 4K.
MAX_PIXELS = 4096 * 2304
#: Environment variable that raises (or lowers) the limit, for every tool.
MAX_PIXELS_VARIABLE = 'MMKD_MAX_PIXELS'


def max_pixels() -> int:
    """Return how many pixels a frame may have, from the environment or the default.

    Raises:
        UserError: If the variable is not a whole number of at least 1.
    """
    text = os.environ.get(MAX_PIXELS_VARIABLE, str(MAX_PIXELS))
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**31):
        raise UserError(
            f'{MAX_PIXELS_VARIABLE}={text!r}',
            f'Give width times height as a whole number, e.g. {MAX_PIXELS}.',
        )
    return int(text)


def open_container(path: str | os.PathLike[str]) -> InputContainer:
    """Open a file to read the packets and frames of its first video stream.

    Regular files of video formats only; text tags do not matter, and need not be UTF-8
    (official HMDB51 clips). Frames may have up to :func:`max_pixels` pixels.

    Raises:
        OSError: If it is not there.
        ValueError: If it is no regular file, or its frames are too large.
        av.FFmpegError: If it cannot be opened.
    """
    file, limit = regular_file(path), max_pixels()
    if splitext(file)[1].lower() in _WITH_HEADER:
        try:
            container = _open(file, limit, _HEADER_ONLY)
        except av.FFmpegError:
            # Another form behind that suffix may need more of the file to be told.
            return _checked(_open(file, limit), limit)
        streams = container.streams.video[:1]
        # MP4 leaves the size of MPEG-4 to the decoder.
        contexts = [stream.codec_context for stream in streams]
        sized = all(context is None or context.width for context in contexts)
        whole = sized and all(stream.average_rate for stream in streams)
        if container.format.name.startswith('mov') and whole:
            return _checked(container, limit)
        container.close()
    return _checked(_open(file, limit), limit)


def _open(
    file: str, limit: int, further: dict[str, str] | None = None
) -> InputContainer:
    # Without a header of its own, a file is looked into by a decoder, which finds no
    # size where that is over the limit.
    options = {**_LOCAL_ONLY, **(further or {'max_pixels': str(limit)})}
    return av.open(file, options=options, **ANY_TAG)


def _checked(container: InputContainer, limit: int) -> InputContainer:
    """Bound the decoder, and leave out the packets of all streams but the first video.

    Where the frames are too large, the container is closed and an error raised.
    """
    for stream in container.streams.video[:1]:
        context = stream.codec_context
        if context is None:
            container.close()
            raise ValueError('this FFmpeg has no decoder for it')
        height, width = context.height, context.width
        if not 0 < height * width <= limit:
            container.close()
            size = f'{width} x {height} pixels are' if height else 'its frames are'
            what = f'{size} over the limit of {limit} pixels'
            remedy = f'set {MAX_PIXELS_VARIABLE} to raise it'
            other = '' if height else ', or of no size'
            raise ValueError(f'{what}{other}; {remedy}')
        # The header may lie; the decoder holds to the same limit.
        context.options = {**context.options, 'max_pixels': str(limit)}
    for beside in container.streams:
        if beside not in container.streams.video[:1] and hasattr(beside, 'discard'):
            beside.discard = _ALL_PACKETS  # type: ignore[assignment]
    return container
