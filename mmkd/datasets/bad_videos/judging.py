"""Read a video to its end and say what is wrong with it."""

import json
import math
import os
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import decord
import numpy as np

from mmkd.datasets.bad_videos.reasons import reason_of
from mmkd.datasets.preparation.scan import inspect_video
from mmkd.datasets.transforms.decoding import miscounts

# Frames held at a time.
_BATCH = 16


@dataclass(frozen=True)
class Judgement:
    """What reading a video has shown.

    Attributes:
        bad: Why it cannot be read; empty if it can.
        note: What is odd about it though it can.
    """

    bad: str = ''
    note: str = ''


def judge(path: Path, frames: int = 0) -> Judgement:
    """Open a video as training does and decode it.

    Args:
        path: The file.
        frames: So many, spread evenly; 0 for all.
    """
    try:
        state = inspect_video(path)
        if state.frames == 0:
            return Judgement(state.error or 'no frames')
        reader = decord.VideoReader(str(path), num_threads=1)
        if not len(reader):
            return Judgement('no frames')
        _decode(reader, frames)
    except Exception as error:
        # decord raises several unrelated classes.
        return Judgement(reason_of(error))
    short = f'{state.frames} of {state.announced} frames' if state.cut_off else ''
    return Judgement(note=short)


def _decode(reader: Any, frames: int) -> None:
    count = len(reader)
    wanted = np.arange(count)
    if 0 < frames < count:
        wanted = np.linspace(0, count - 1, frames).round().astype(int)
    if miscounts(reader.get_key_indices(), count):
        for _ in range(wanted[-1] + 1):
            _check(reader.next().shape)
        return
    for part in np.array_split(wanted, math.ceil(len(wanted) / _BATCH)):
        _check(reader.get_batch(part.tolist()).shape)


def _check(shape: tuple[int, ...]) -> None:
    if shape[-1] != 3:
        raise ValueError(f'decoded to {shape[-1]} channels instead of RGB')


def serve(connection: Connection, frames: int) -> None:
    """Judge the videos that are asked for, until nobody asks any more.

    For a process of its own, which a video may bring down or hold up for ever.

    Args:
        connection: Brings paths, and takes judgements as JSON.
        frames: As in :func:`judge`.
    """
    # FFmpeg and decord write of every fault to standard error.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    connection.send_bytes(b'ready')
    while True:
        try:
            path = Path(os.fsdecode(connection.recv_bytes()))
        except EOFError:
            return
        answer = json.dumps(asdict(judge(path, frames)))
        connection.send_bytes(answer.encode())
