"""What a data set's official files ask for, before any video is looked for."""

from collections.abc import Callable
from dataclasses import dataclass

from mmkd.datasets.preparation.finding import path_key

UNLABELLED = -1
"""Label of a video in a list that is for pre-training only."""


@dataclass(frozen=True)
class Entry:
    """One line of a list.

    Attributes:
        path: Path below the folder of videos, with ``/``.
        label: 0-based class index, or :data:`UNLABELLED`.
    """

    path: str
    label: int


@dataclass(frozen=True)
class VideoList:
    """One list that is to be written.

    Attributes:
        name: File name without ``.txt``, for instance ``'train_split1'``.
        entries: Its lines, in the order of the official file.
        evaluation: Whether numbers are measured on it. Such a list keeps videos that
            are too short for training.
    """

    name: str
    entries: tuple[Entry, ...]
    evaluation: bool = False


@dataclass(frozen=True)
class Plan:
    """All lists of one data set.

    Attributes:
        dataset: Name of the data set, for instance ``'ucf101'``.
        classes: Class names; the position is the label.
        lists: The lists to write.
        key: Two paths with the same key name the same video
            (:mod:`mmkd.datasets.preparation.finding`).
        notes: What the user should know about the official files.
    """

    dataset: str
    classes: tuple[str, ...]
    lists: tuple[VideoList, ...]
    key: Callable[[str], str] = path_key
    notes: tuple[str, ...] = ()

    def paths(self) -> list[str]:
        """Return every path that some list names, once, in the order of the lists."""
        return list(dict.fromkeys(e.path for part in self.lists for e in part.entries))
