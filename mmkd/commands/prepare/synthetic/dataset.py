"""Write the synthetic data set: parameters, clips, lists and files."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmkd.commands.prepare.synthetic.actions import ACTIONS, CLASS_NAMES
from mmkd.commands.prepare.synthetic.figure import parts_description
from mmkd.commands.prepare.synthetic.scene import render_clip
from mmkd.ctrl_c import kept_from_children
from mmkd.datasets.video_file import check_codec, write_maps, write_video
from mmkd.errors import UserError
from mmkd.files import read_json, write_text
from mmkd.processes import process_context
from mmkd.progress import track

VERSION = 1
"""Raise it whenever the same parameters no longer give the same clips."""
SPLITS = ('train', 'test', 'unlabelled')


@dataclass(frozen=True)
class ClipPlan:
    """A clip to be rendered."""

    split: str  # one of SPLITS
    number: int  # running number in its split
    action: int  # index into actions.ACTIONS
    seed: tuple[int, int, int]  # seed of everything but the action

    @property
    def name(self) -> str:
        """Path of the clip without its ending; it does not tell the action."""
        return f'{self.split}/{self.number:05d}'

    def video(self, out: Path) -> Path:
        """Return the path of its video."""
        return out / 'videos' / f'{self.name}.mp4'

    def maps(self, out: Path) -> Path:
        """Return the path of its label maps."""
        return out / 'maps' / f'{self.name}.npz'

    def is_rendered(self, out: Path) -> bool:
        """Tell whether both files are there."""
        return self.video(out).is_file() and self.maps(out).is_file()

    def render(self, out: Path, size: int, fps: float) -> None:
        """Render and write; the video last, as the sign that the clip is done."""
        clip = render_clip(ACTIONS[self.action], self.seed, size=size, fps=fps)
        write_maps(self.maps(out), clip.maps)
        # A rate drawn for each clip hides how well its movement compresses.
        quality = int(np.random.default_rng((*self.seed, 1)).integers(18, 29))
        write_video(self.video(out), clip.frames, fps=fps, quality=quality)


@dataclass(frozen=True)
class Plan:
    """Parameters of a data set.

    Raises:
        UserError: If a value is out of range.
    """

    train_per_class: int = 10  # training clips of each action
    test_per_class: int = 10  # test clips of each action
    unlabelled: int = 240  # number of clips with label -1
    size: int = 96  # height and width in pixels, even
    fps: float = 25.0  # frames per second
    seed: int = 0  # seed of the whole set, not negative

    def __post_init__(self) -> None:
        checks = {
            'train_per_class': (self.train_per_class >= 1, 'at least 1'),
            'test_per_class': (self.test_per_class >= 0, 'at least 0'),
            'unlabelled': (self.unlabelled >= 0, 'at least 0'),
            'size': (self.size >= 32 and self.size % 2 == 0, 'even and at least 32'),
            'fps': (5 <= self.fps <= 120, 'between 5 and 120'),
            'seed': (self.seed >= 0, 'at least 0'),
        }
        for name, (fits, rule) in checks.items():
            if not fits:
                value = getattr(self, name)
                raise UserError(f'{name}={value}', f'Give a {name} that is {rule}.')

    def clips(self) -> list[ClipPlan]:
        """Return all clips, split by split, the actions of each in random order."""
        classes = np.arange(len(CLASS_NAMES))
        actions = {
            'train': np.repeat(classes, self.train_per_class),
            'test': np.repeat(classes, self.test_per_class),
            'unlabelled': np.arange(self.unlabelled) % len(classes),
        }
        clips = []
        for part, split in enumerate(SPLITS):
            rng = np.random.default_rng((self.seed, part))
            for number, action in enumerate(rng.permutation(actions[split])):
                seed = self.seed, part, number
                clips.append(ClipPlan(split, number, int(action), seed))
        return clips

    def meta(self) -> dict[str, Any]:
        """Return the content of ``meta.json``."""
        return {
            'data_set': 'mmkd synthetic figures',
            'version': VERSION,
            'classes': list(CLASS_NAMES),
            'parameters': asdict(self),
        }

    def lists(self) -> dict[str, str]:
        """Return the text of ``classes.txt`` and of MMAction2's list of each split."""
        texts = {'classes.txt': ''.join(f'{name}\n' for name in CLASS_NAMES)}
        texts |= {f'{split}.txt': '' for split in SPLITS}
        for clip in self.clips():
            label = -1 if clip.split == 'unlabelled' else clip.action
            texts[f'{clip.split}.txt'] += f'{clip.name}.mp4 {label}\n'
        return texts


def render_dataset(
    out: Path, *, workers: int = 2, overwrite: bool = False, **parameters: Any
) -> tuple[int, int]:
    """Render the synthetic data set, or what is still missing of it.

    Writes ``videos/<split>/*.mp4``, ``maps/<split>/*.npz``, ``maps/parts.json``,
    ``train.txt``, ``test.txt``, ``unlabelled.txt`` (lines ``path label``, the path
    below ``videos/``), ``classes.txt`` and ``meta.json``. Every clip depends on
    ``seed``, its split and its number only. An interrupted call is taken up by the
    next one with the same parameters.

    Args:
        out: Folder to write, made if need be.
        workers: Number of processes; 1 renders in this one.
        overwrite: Delete a set that this function rendered with other parameters.
        parameters: Those of :class:`Plan`.

    Returns:
        How many clips the set has, and how many of them this call has rendered.

    Raises:
        UserError: If a parameter is out of range, if ``out`` holds something else, or
            if videos cannot be written here.
    """
    plan = Plan(**parameters)
    if workers < 1:
        raise UserError(f'workers={workers}', 'Give at least 1 worker.')
    check_codec()
    out = Path(out)
    _claim(out, plan, overwrite)
    clips = plan.clips()
    missing = [clip for clip in clips if not clip.is_rendered(out)]
    jobs = [partial(clip.render, out, plan.size, plan.fps) for clip in missing]
    run_jobs(jobs, workers, 'Rendering')
    write_text(out / 'maps' / 'parts.json', _json(parts_description()))
    for name, text in plan.lists().items():
        write_text(out / name, text)
    return len(clips), len(jobs)


def _claim(out: Path, plan: Plan, overwrite: bool) -> None:
    """Make ``out`` the folder of ``plan``, unless something else is there."""
    meta = json.loads(json.dumps(plan.meta()))
    found = _read_meta(out)
    if found == meta:
        return
    if found == {}:
        raise UserError(
            f'{out} holds files that were not rendered by mmkd',
            'Choose another folder.',
        )
    if found is not None and not overwrite:
        raise UserError(
            f'{out} was rendered with other parameters ({_difference(found, meta)})',
            'Choose another folder, or overwrite this one.',
        )
    for split in SPLITS:
        for folder in ('videos', 'maps'):
            shutil.rmtree(out / folder / split, ignore_errors=True)
        (out / f'{split}.txt').unlink(missing_ok=True)
    # It goes last, so that a rest is known as ours.
    (out / 'meta.json').unlink(missing_ok=True)
    write_text(out / 'meta.json', _json(meta))


def _read_meta(out: Path) -> dict[str, object] | None:
    """Return the parameters of the set in ``out``, {} if unknown, None if empty."""
    try:
        meta = read_json(out / 'meta.json')
        return meta if isinstance(meta, dict) else {}
    except FileNotFoundError:
        ours = ['videos', 'maps', *(f'{split}.txt' for split in SPLITS)]
        return {} if any((out / name).exists() for name in ours) else None
    except (OSError, ValueError):
        return {}


def _difference(found: dict[str, object], wanted: dict[str, object]) -> str:
    """Name the first value in which two descriptions differ."""
    flat = [dict(d) for d in (found, wanted)]
    for d in flat:
        parameters = d.pop('parameters', None)
        d.update(parameters if isinstance(parameters, dict) else {})
    there, here = flat
    key = next((k for k in here if there.get(k) != here[k]), 'meta.json')
    return f'{key}: {there.get(key)} there, {here.get(key)} wanted'


def _json(content: object) -> str:
    return json.dumps(content, indent=2) + '\n'


def run_jobs(jobs: Sequence[Callable[[], object]], workers: int, title: str) -> None:
    """Run all jobs, in any order; the first error stops the rest.

    With several workers, which are processes, each job must be picklable.
    """
    if workers > 1 and len(jobs) > 1:
        done: Iterator[object] = _in_pool(jobs, min(workers, len(jobs)))
    else:
        done = (job() for job in jobs)
    for _ in track(done, title, total=len(jobs)):
        pass


def _in_pool(jobs: Sequence[Callable[[], object]], workers: int) -> Iterator[object]:
    """Run jobs in new processes: a fork would copy the locks of running threads."""
    context = process_context('spawn')
    with ProcessPoolExecutor(workers, context, cv2.setNumThreads, (0,)) as pool:
        try:
            with kept_from_children():  # the first job starts all processes
                submitted = [pool.submit(job) for job in jobs]
            for done in as_completed(submitted):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)
