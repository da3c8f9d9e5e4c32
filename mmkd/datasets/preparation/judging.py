"""Decide for each video of a list whether it is written, and if not, why."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mmkd.datasets.preparation.entries import Entry, VideoList
from mmkd.datasets.preparation.scan import FileState

MIN_FRAMES = 17
"""The released sampler of VSPP draws a start among ``frames - 16`` places."""


@dataclass
class Verdict:
    """What became of the videos of one list.

    Attributes:
        source: The list as the official files have it.
        missing: Listed videos that are not on disk.
        unreadable: Paths on disk, each with the reason.
        too_short: Paths on disk, each with its number of frames. An evaluation list
            keeps them.
        kept: Lines to write, paths as on disk.
    """

    source: VideoList
    missing: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    too_short: dict[str, int] = field(default_factory=dict)
    kept: list[Entry] = field(default_factory=list)

    @property
    def file_name(self) -> str:
        """Name of the list file."""
        return f'{self.source.name}.txt'

    @property
    def lost(self) -> int:
        """Number of videos that are missing or unreadable."""
        return len(self.missing) + len(self.unreadable)


def judge(
    source: VideoList,
    found: Mapping[str, str | None],
    states: Mapping[str, FileState] | None,
    min_frames: int = MIN_FRAMES,
) -> Verdict:
    """Sort the videos of a list.

    Args:
        source: The list.
        found: Listed path to path on disk, or None.
        states: Path on disk to what opening it showed; None if none was opened.
        min_frames: Fewer frames are too short for training.
    """
    verdict = Verdict(source)
    for entry in source.entries:
        path = found[entry.path]
        if path is None:
            verdict.missing.append(entry.path)
            continue
        state = states[path] if states is not None else None
        if state is not None and state.error:
            verdict.unreadable[path] = state.error
            continue
        short = state is not None and state.frames < min_frames
        if short and state is not None:
            verdict.too_short[path] = state.frames
        if source.evaluation or not short:
            verdict.kept.append(Entry(path, entry.label))
    return verdict
