"""Small made-up videos and official files."""

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np


def make_video(path: Path, frames: int = 20) -> Path:
    """Write a small moving picture in the container that the suffix names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, 'yuv420p'
        for shift in range(frames):
            image = np.full((32, 32, 3), 40, np.uint8)
            image[:, shift % 32] = 200
            frame = av.VideoFrame.from_ndarray(image, format='rgb24')
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def make_empty(root: Path, names: Iterable[str]) -> Path:
    """Make files of no content; good enough where nothing opens them."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def write_ucf101(folder: Path, train: str, test: str) -> Path:
    """Write the seven files for two classes, with CRLF; all splits alike."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {'classInd.txt': '1 Alpha\n2 Beta\n'}
    for split in (1, 2, 3):
        texts[f'trainlist0{split}.txt'] = train
        texts[f'testlist0{split}.txt'] = test
    for name, text in texts.items():
        (folder / name).write_text(text, newline='\r\n')
    return folder


def write_hmdb51(folder: Path, lines: str = 'a.avi 1 \nb.avi 2 \n') -> Path:
    """Write 153 files for classes ``c00`` to ``c50`` with the same lines."""
    folder.mkdir(parents=True, exist_ok=True)
    for label in range(51):
        for split in (1, 2, 3):
            (folder / f'c{label:02}_test_split{split}.txt').write_text(lines)
    return folder
