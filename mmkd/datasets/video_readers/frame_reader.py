"""What every reader of a video file does, whichever library is behind it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from mmkd.errors import UserError, printable

Indices = Sequence[int] | np.ndarray

#: Fastest first, by the measurement in docs/data.md. Decoder: library, module, class.
DECODERS = {
    'pyav': ('av', 'pyav_video', 'PyAVVideo'),
    'torchcodec': ('torchcodec', 'torchcodec_video', 'TorchCodecVideo'),
    'decord': ('decord', 'decord_video', 'DecordVideo'),
}


class DecodedFrames:
    """Frames, uint8 RGB ``(U, H, W, 3)``, in the form in which decord returns them."""

    def __init__(self, frames: np.ndarray) -> None:
        self.frames = frames

    def asnumpy(self) -> np.ndarray:
        """Return the frames ``(U, H, W, 3)``."""
        return self.frames


class FrameReader(ABC):
    """The part of ``decord.VideoReader`` that a pipeline uses.

    A reader of this class gives the right frame for every index, in any order, also of
    videos on which decord errs: :func:`mmkd.datasets.video_readers.packets.miscounts`.
    """

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of frames, as decord counts them."""

    @abstractmethod
    def get_avg_fps(self) -> float:
        """Return the frames a second."""

    @abstractmethod
    def get_key_indices(self) -> list[int]:
        """Return the frames that can be decoded without another one."""

    @abstractmethod
    def get_batch(self, indices: Indices) -> DecodedFrames:
        """Return copies of some frames, in any order, repeated or not.

        Raises:
            IndexError: If there is no such frame.
        """

    def each(self, indices: Indices) -> Iterator[np.ndarray]:
        """Yield frames ``(H, W, 3)`` one at a time, which takes little memory.

        Args:
            indices: Frames, rising and distinct.

        Raises:
            IndexError: If there is no such frame.
        """
        for index in checked(indices, len(self)).tolist():
            yield self.get_batch([index]).asnumpy()[0]


def checked(indices: Indices, total_frames: int) -> np.ndarray:
    """Return frame indices as an array.

    Raises:
        IndexError: If one of them is not in the video.
    """
    wanted = np.asarray(indices, np.int64)
    if wanted.size and not 0 <= wanted.min() <= wanted.max() < total_frames:
        raise IndexError(
            f'frames {wanted.min()} to {wanted.max()} of a video of {total_frames}'
        )
    return wanted


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
    _, module, reader = DECODERS[name]
    try:
        found = import_module(f'{__package__}.{module}')
        opened: FrameReader = getattr(found, reader)(path, num_threads)
        return opened
    except ImportError as error:
        raise UserError(
            f'OpenVideo: decoder={name!r} cannot be loaded: {error}',
            "Mend its installation, or use decoder='auto'.",
        ) from error
    except UserError:
        raise
    except Exception as error:
        # Decoders raise several unrelated classes.
        what = f'{printable(path)} cannot be opened: {printable(error)}'
        raise RuntimeError(what) from error
