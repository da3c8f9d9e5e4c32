"""Rendering the synthetic data set to disk (ours)."""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmkd.datasets.synthetic.actions import ACTIONS, CLASS_NAMES
from mmkd.datasets.synthetic.parallel import run_jobs
from mmkd.datasets.synthetic.parts import parts_description
from mmkd.datasets.synthetic.plan import SPLITS, ClipPlan, Plan
from mmkd.datasets.synthetic.scene import render_clip
from mmkd.datasets.synthetic.video_file import (
    check_codec,
    write_maps,
    write_video,
)
from mmkd.errors import UserError
from mmkd.files import write_text


@dataclass(frozen=True)
class SyntheticSummary:
    """What :func:`render_dataset` did.

    Args:
        out: Folder of the data set.
        clips: Number of clips in it.
        rendered: Number of them rendered by this call; 0 if all were there.
        classes: Number of classes.
        seconds: Time that it took.
    """

    out: Path
    clips: int
    rendered: int
    classes: int
    seconds: float


@dataclass(frozen=True)
class RenderJob:
    """Renders one clip and writes its two files; runs in any process."""

    out: Path
    clip: ClipPlan
    size: int
    fps: float

    def __call__(self) -> None:
        """Render and write; the video last, as the sign that the clip is done."""
        clip = self.clip
        action = ACTIONS[clip.action]
        rendered = render_clip(action, clip.seed, size=self.size, fps=self.fps)
        write_maps(clip.maps(self.out), rendered.maps)
        # A rate drawn for each clip hides how well its movement compresses.
        quality = int(np.random.default_rng((*clip.seed, 1)).integers(18, 29))
        path = clip.video(self.out)
        write_video(path, rendered.frames, fps=self.fps, quality=quality)


def render_dataset(
    out: Path,
    *,
    train_per_class: int = 10,
    test_per_class: int = 10,
    unlabelled: int = 240,
    size: int = 96,
    fps: float = 25.0,
    seed: int = 0,
    workers: int = 2,
    overwrite: bool = False,
) -> SyntheticSummary:
    """Render the synthetic data set, or what is still missing of it.

    Writes ``videos/<split>/*.mp4``, ``maps/<split>/*.npz``, ``maps/parts.json``,
    ``train.txt``, ``test.txt``, ``unlabelled.txt`` (lines ``path label``, the path
    below ``videos/``), ``classes.txt`` and ``meta.json``. Every clip depends on
    ``seed``, its split and its number only. An interrupted call is taken up by the
    next one with the same parameters.

    Args:
        out: Folder to write, made if need be.
        train_per_class: Training clips of each action. Default: 10.
        test_per_class: Test clips of each action. Default: 10.
        unlabelled: Number of clips with label -1. Default: 240.
        size: Height and width in pixels, even. Default: 96.
        fps: Frames per second. Default: 25.
        seed: Seed of the whole set. Default: 0.
        workers: Number of processes; 1 renders in this one. Default: 2.
        overwrite: Whether to delete a set that this function rendered with other
            parameters. Default: False.

    Raises:
        UserError: If a parameter is out of range, if ``out`` holds something else, or
            if videos cannot be written here.
    """
    start = time.perf_counter()
    plan = Plan(train_per_class, test_per_class, unlabelled, size, fps, seed)
    if workers < 1:
        raise UserError(f'workers={workers}', 'Give at least 1 worker.')
    check_codec()
    out = Path(out)
    _claim(out, plan, overwrite)
    clips = plan.clips()
    jobs = [RenderJob(out, c, size, fps) for c in clips if not c.is_rendered(out)]
    run_jobs(jobs, workers, 'Rendering')
    write_text(out / 'maps' / 'parts.json', _json(parts_description()))
    for name, text in plan.lists().items():
        write_text(out / name, text)
    seconds = time.perf_counter() - start
    return SyntheticSummary(out, len(clips), len(jobs), len(CLASS_NAMES), seconds)


def _claim(out: Path, plan: Plan, overwrite: bool) -> None:
    """Make ``out`` the folder of ``plan``, unless something else is there."""
    meta_file = out / 'meta.json'
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
    _clear(out)
    write_text(meta_file, _json(meta))


def _read_meta(out: Path) -> dict[str, object] | None:
    """Return the parameters of the set in ``out``, {} if unknown, None if empty."""
    try:
        meta = json.loads((out / 'meta.json').read_text('utf-8'))
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


def _clear(out: Path) -> None:
    """Delete a data set; ``meta.json`` goes last, so that a rest is known as ours."""
    for split in SPLITS:
        for folder in ('videos', 'maps'):
            shutil.rmtree(out / folder / split, ignore_errors=True)
        (out / f'{split}.txt').unlink(missing_ok=True)
    (out / 'meta.json').unlink(missing_ok=True)


def _json(content: object) -> str:
    return json.dumps(content, indent=2) + '\n'
