"""Choose the library that reads a video."""

from collections.abc import Callable
from importlib.util import find_spec

from mmkd.datasets.video_readers.base import FrameReader
from mmkd.errors import UserError

Opener = Callable[[str, int], FrameReader]


def _pyav(path: str, num_threads: int) -> FrameReader:
    from mmkd.datasets.video_readers.pyav_video import PyAVVideo

    return PyAVVideo(path, num_threads)


def _torchcodec(path: str, num_threads: int) -> FrameReader:
    from mmkd.datasets.video_readers.torchcodec_video import TorchCodecVideo

    return TorchCodecVideo(path, num_threads)


def _decord(path: str, num_threads: int) -> FrameReader:
    from mmkd.datasets.video_readers.decord_video import DecordVideo

    return DecordVideo(path, num_threads)


#: Fastest first, by the measurement in docs/data.md. Names: decoder, module.
DECODERS: dict[str, tuple[str, Opener]] = {
    'pyav': ('av', _pyav),
    'torchcodec': ('torchcodec', _torchcodec),
    'decord': ('decord', _decord),
}


def choose_decoder(name: str = 'auto') -> str:
    """Return the name of a decoder that is installed.

    Args:
        name: ``'pyav'``, ``'torchcodec'``, ``'decord'``, or ``'auto'`` for the first of
            them, in this order, that is installed.

    Raises:
        UserError: If there is no such decoder, or it is not installed.
    """
    if name != 'auto' and name not in DECODERS:
        raise UserError(
            f'OpenVideo: decoder={name!r}',
            f"Use 'auto' or one of {', '.join(map(repr, DECODERS))}.",
        )
    for decoder in DECODERS if name == 'auto' else (name,):
        if find_spec(DECODERS[decoder][0]) is not None:
            return decoder
    wanted = 'av' if name == 'auto' else DECODERS[name][0]
    raise UserError(
        f'OpenVideo: decoder={name!r} is not installed', f'pip install {wanted}'
    )


def open_video(path: str, decoder: str = 'auto', num_threads: int = 1) -> FrameReader:
    """Open a video file.

    Args:
        path: The file.
        decoder: As in :func:`choose_decoder`.
        num_threads: Threads of the decoder. Defaults to 1.

    Raises:
        UserError: If the decoder is not there or cannot be loaded.
        RuntimeError: If the file cannot be opened; it is named.
    """
    name = choose_decoder(decoder)
    try:
        return DECODERS[name][1](path, num_threads)
    except ImportError as error:
        raise UserError(
            f'OpenVideo: decoder={name!r} cannot be loaded: {error}',
            "Mend its installation, or use decoder='auto'.",
        ) from error
    except Exception as error:
        # Decoders raise several unrelated classes.
        raise RuntimeError(f'{path} cannot be opened: {error}') from error
