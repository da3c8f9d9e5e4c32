"""A data pipeline that tells a bad video from a mistake."""

import random
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from mmaction.datasets import VideoDataset
from mmaction.datasets.transforms import SampleFrames
from mmengine.dataset import Compose
from torch.utils.data import get_worker_info

from mmkd.datasets.bad_videos.reasons import (
    as_mistake,
    innermost_transform,
    reason_of,
)
from mmkd.datasets.bad_videos.watching import Marks, TimeUp, within
from mmkd.datasets.transforms.decoding import OpenPacked
from mmkd.datasets.transforms.sampling import ViewSampler
from mmkd.errors import UserError

#: Field of a data sample: the videos that it replaces, with the reasons.
REPLACED = 'replaced_videos'

# Said well enough, or nobody's mistake.
_AS_IT_IS = (UserError, ImportError, MemoryError)
# What no video can be blamed for: options, and code.
_NOT_THE_VIDEO = (AssertionError, TypeError, AttributeError, NameError, KeyError)
# What torch raises anywhere in the main process when a worker of a loader has ended.
_WORKER = 'DataLoader worker'

#: What to do about it.
CHECK = 'Find all such videos with `python tools/data/check_videos.py LIST`.'


class GuardedPipeline(Compose):
    """The transforms of a data set, which know what to do when a video is bad.

    A video is bad if it cannot be opened, has no frames, or its frames are not decoded
    to RGB in time: any error up to the transform that writes ``imgs``, but for errors
    of samplers, of code and options. With ``replace``, None is returned, at which
    MMEngine's data sets draw another sample with ``np.random``; the generators are
    first brought back to where they were, so that it is the same one wherever the fault
    shows. The sample that replaces it has :data:`REPLACED` in its meta information.

    Args:
        transforms: Transforms, in order.
        replace: Have another sample drawn. Else an error names the file.
        time_limit: Seconds that opening and decoding may take; 0 for any. Packed videos
            have none.
        max_in_a_row: So many bad videos one after the other are taken for an error of
            the decoder or the disk.
        hung: Videos that took too long, or a process with them, by file name, with the
            reason. They are not tried again; those found to be late are added. All
            others are: a damaged one may be bad for some frames only, and what is drawn
            must not depend on who has tried it before.
        marks: Marks for loader workers to set while they read. Somebody else then sees
            to the time limit, by ending the worker. Defaults to None.
    """

    def __init__(
        self,
        transforms: Sequence[Any],
        replace: bool,
        time_limit: float = 0,
        max_in_a_row: int = 10,
        hung: dict[str, str] | None = None,
        marks: Marks | None = None,
    ) -> None:
        super().__init__(transforms)
        # Frames that are decoded already come at once; a thread to wait for them would
        # take longer than they do.
        decoded = any(isinstance(step, OpenPacked) for step in self.transforms)
        self.replace, self.time_limit = replace, 0 if decoded else time_limit
        self.max_in_a_row = max_in_a_row
        self.hung = {} if hung is None else hung
        self.marks = marks
        self._in_a_row: list[tuple[str, str]] = []

    def __call__(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """Transform one sample; None if another one should be drawn.

        Raises:
            UserError: If the video is bad, and not to be replaced or one of too many;
                if a transform fails for another reason.
        """
        name = str(data.get('filename', 'a video'))
        python, numpy = random.getstate(), np.random.get_state()
        torchs = torch.get_rng_state()
        reason = self.hung.get(name) if self.replace else None
        if reason is None:
            try:
                results, done = self._watched(name, data)
            except _AS_IT_IS:
                raise
            except _NOT_THE_VIDEO as error:
                raise as_mistake(error, name) from error
            except Exception as error:
                if _only_counts(innermost_transform(error.__traceback__)):
                    raise as_mistake(error, name) from error
                reason = reason_of(error)
                if isinstance(error, TimeUp):
                    self.hung[name] = reason
        if reason is not None:
            self._refuse_or_note(name, reason)
            random.setstate(python)
            np.random.set_state(numpy)
            torch.set_rng_state(torchs)
            return None
        try:
            return self._finish(results, done)
        except _AS_IT_IS:
            raise
        except Exception as error:
            if _WORKER in str(error):
                raise
            raise as_mistake(error, name) from error

    def _watched(
        self, name: str, data: dict[str, Any]
    ) -> tuple[dict[str, Any] | None, int]:
        """Read where somebody sees to it that this ends."""
        worker = get_worker_info()
        if self.marks is None or worker is None:
            return within(self.time_limit, partial(self._read, data))
        with self.marks.reading(worker.id, name):
            return self._read(data, threading.Event())

    def _read(
        self, results: Any, given_up: threading.Event
    ) -> tuple[dict[str, Any] | None, int]:
        """Go on until there are images; return also how many transforms that took."""
        for number, transform in enumerate(self.transforms, 1):
            if given_up.is_set():  # the random numbers are somebody else's now
                break
            results = transform(results)
            if results is None:
                return None, number
            if results.get('total_frames', 1) < 1:
                raise ValueError('no frames')
            if 'imgs' in results:
                _check_images(results['imgs'])
                return results, number
        return results, len(self.transforms)

    def _finish(self, results: Any, done: int) -> dict[str, Any] | None:
        for transform in self.transforms[done:]:
            if results is None:
                return None
            results = transform(results)
        if results is not None and self._in_a_row:
            sample = results.get('data_samples')
            if hasattr(sample, 'set_metainfo'):
                sample.set_metainfo({REPLACED: self._in_a_row})
            self._in_a_row = []
        return results

    def _refuse_or_note(self, name: str, reason: str) -> None:
        if not self.replace:
            raise UserError(f'{name} cannot be read ({reason})', CHECK)
        self._in_a_row.append((name, reason))
        count = len(self._in_a_row)
        if count >= self.max_in_a_row:
            self._in_a_row = []
            raise UserError(
                f'{count} videos in a row cannot be read, the last one is {name} '
                f'({reason})',
                'Look at the disk and the decoder. ' + CHECK,
            )


def _only_counts(transform: Any) -> bool:
    """Tell whether a transform knows no more of a video than how many frames it has."""
    if isinstance(transform, SampleFrames):
        return transform.target_fps is None
    return isinstance(transform, ViewSampler)


def _check_images(images: Sequence[np.ndarray]) -> None:
    """Refuse what decoders make of formats that they get wrong."""
    shapes = {np.shape(image) for image in images}
    if len(shapes) > 1:
        raise ValueError(f'frames of different shapes {sorted(shapes)}')
    shape = next(iter(shapes), ())
    if len(shape) != 3 or 0 in shape or shape[2] != 3:
        raise ValueError(f'decoded to the shape {shape}, not to RGB')


def video_datasets(dataset: Any) -> Iterator[VideoDataset]:
    """Yield the data sets of videos inside of others that repeat or join them."""
    if isinstance(dataset, VideoDataset):
        yield dataset
        return
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    for one in inner:
        if one is not None:
            yield from video_datasets(one)


def guard(dataset: Any, replace: bool = False, **options: Any) -> list[VideoDataset]:
    """Guard the pipelines of all data sets of videos inside of a data set.

    Those in test mode are never to replace a video.

    Args:
        dataset: A data set, e.g. of a data loader that has not begun.
        replace: Whether bad videos are to be replaced by others.
        **options: Of :class:`GuardedPipeline`.

    Returns:
        The data sets of videos.
    """
    found = list(video_datasets(dataset))
    for one in found:
        one.pipeline = GuardedPipeline(
            one.pipeline.transforms, replace and not one.test_mode, **options
        )
    return found
