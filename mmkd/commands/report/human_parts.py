"""The human prior: what the parser sees in a clip, and what the student predicts."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from markupsafe import Markup
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

from mmkd.commands.part_overlay import OUTSIDE, overlay, part_colours, to_labels
from mmkd.commands.report.clips import small, still
from mmkd.commands.report.configs import executed, read_kept_config
from mmkd.commands.report.page import Notes, attempt, pieces
from mmkd.commands.report.runs import Run
from mmkd.engine.hooks.held_out import held_out_dataset
from mmkd.engine.preflight.datasets import check_datasets
from mmkd.errors import UserError
from mmkd.evaluation.lists import innermost
from mmkd.evaluation.model import load_whole_model
from mmkd.last_checkpoint import latest_checkpoint
from mmkd.methods.human_prior import ParsingDistill
from mmkd.methods.human_prior.load_part_maps import PART_MAPS
from mmkd.models.pretrainer import stack_targets
from mmkd.part_labels import LabelSet
from mmkd.seeding import drawing_from

_CLIPS = 3
_COLUMNS = 8  # frames of a strip
_GAP = 128  # grey


def parts_section(
    runs: Sequence[Run], compute: bool, say: Callable[[str], None]
) -> Markup:
    """Return predicted and teacher part maps of trainings with a human prior."""
    notes = Notes()
    body = Markup()
    found = _parsing_runs(runs, compute)
    if not found:
        notes.add(
            'No training here distils a human parser. Train one, for instance '
            '`configs/tiny/human_prior_r3d_synthetic.py`'
        )
    elif not compute:
        notes.add('Part maps need the network. Leave out `--no-features`')
        found = []
    for run, cfg in found:
        say(f'part maps: {run.name}')
        body += attempt(run.name, partial(_part_strips, run, cfg), notes) or ''
    return body + notes.html()


def _parsing_runs(runs: Sequence[Run], compute: bool) -> list[tuple[Run, Config]]:
    """Return the trainings with a ``ParsingDistill`` task, and their configs."""
    read = executed if compute else read_kept_config
    found = []
    for run in runs:
        cfg = read(run.config) if run.is_training else None
        if cfg is None or not cfg.get('model'):
            continue
        cfg.model = cfg.model.get('student') or cfg.model
        tasks = cfg.model.get('tasks', {}).values()
        if any(str(task.get('type')).endswith('ParsingDistill') for task in tasks):
            found.append((run, cfg))
    return found


class _PartClip(NamedTuple):
    """One clip with the parser's maps and the student's prediction."""

    name: str  # of the video
    frames: np.ndarray  # RGB uint8 (T, H, W, 3)
    teacher: np.ndarray  # the parser's labels, uint8 (T, s, s)
    asked: np.ndarray  # shares of the parts in the student's cells, (K, t, h, w)
    predicted: np.ndarray  # what the student makes of them, (K, t, h, w)


def _part_strips(run: Run, cfg: Config) -> Markup:
    """Return clips of the training list with their maps, frame by frame."""
    checkpoint = latest_checkpoint(str(run.folder))
    if checkpoint is None:
        raise UserError(f'{run.folder} holds no checkpoint')
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    check_datasets(cfg, ('train_dataloader',))
    model = load_whole_model(cfg, checkpoint).eval()
    tasks = model.tasks.items()
    name, task = next((k, t) for k, t in tasks if isinstance(t, ParsingDistill))
    label_set = task.label_set
    clips = list(_clips(model, name, task, cfg))
    if not clips:
        return pieces.absent(f'{run.name}: no clip shows a person')
    present = {int(n) for clip in clips for n in np.unique(clip.teacher)}
    size = ' x '.join(map(str, clips[0].predicted.shape[1:]))
    text = pieces.paragraph(
        f'{run.name}, `{Path(checkpoint).name}`: clips of its training list, as it '
        f'sees them. The student answers for {size} cells (time x height x width); a '
        'cell takes the colours of its parts, as strongly as it shows a person.'
    )
    legend = [
        {
            'text': label_set.labels[part].replace('_', ' '),
            'colour': f'#{bytes(part_colours(label_set)[part]).hex()}',
            'sign': '■',
        }
        for part in sorted(present - {OUTSIDE, label_set.background})
    ]
    strips = Markup().join(_strips(clip, label_set) for clip in clips)
    return text + pieces.legend(legend) + strips


@torch.no_grad()
def _clips(
    model: Any, name: str, task: ParsingDistill, cfg: Config
) -> Iterator[_PartClip]:
    view = task.views[0]
    source = cfg.train_dataloader.dataset
    dataset = DATASETS.build(held_out_dataset(source, innermost(source).ann_file))
    with drawing_from(0, on_devices=True):
        count = min(_CLIPS, len(dataset))
        for number in np.linspace(0, len(dataset) - 1, count).astype(int):
            packed = dataset[int(number)]
            frames = packed['inputs'][view].permute(1, 2, 3, 0).numpy()
            file = packed['data_samples'].metainfo.get('filename', f'video {number}')
            batch = model.data_preprocessor(pseudo_collate([packed]), False)
            parts = stack_targets(batch['data_samples']).get(PART_MAPS)
            if parts is None:
                raise UserError(
                    'the samples have no part maps', 'See docs/part_maps.md.'
                )
            maps, valid = parts.maps[:, view], parts.valid[:, view]
            logits = task.head(model.task_maps(batch['inputs'])[name][view].float())
            asked, _ = task.targets(maps, valid, logits.shape)
            yield _PartClip(
                name=Path(file).name,
                frames=frames,
                teacher=to_labels(maps.cpu().numpy(), task.label_set)[0],
                asked=asked[0].float().cpu().numpy(),
                predicted=logits.softmax(dim=1)[0].float().cpu().numpy(),
            )


def _strips(clip: _PartClip, label_set: LabelSet) -> Markup:
    length = len(clip.frames)
    times = np.linspace(0, length - 1, min(_COLUMNS, length)).round().astype(int)
    frames = [small(clip.frames[time], cv2.INTER_CUBIC) for time in times]
    pairs = list(zip(frames, times, strict=True))

    def tinted(cells: np.ndarray) -> list[np.ndarray]:
        steps = cells.shape[1]
        return [tint(f, cells[:, t * steps // length], label_set) for f, t in pairs]

    rows = {
        'clip': frames,
        "parser's map": [overlay(f, clip.teacher[t], label_set) for f, t in pairs],
        'the same, in cells': tinted(clip.asked),
        'student predicts': tinted(clip.predicted),
    }
    pictures = [
        (title, still(_joined(row), f'{title}: {clip.name}'))
        for title, row in rows.items()
    ]
    return pieces.heading(clip.name) + pieces.strips(pictures)


def tint(frame: np.ndarray, shares: np.ndarray, label_set: LabelSet) -> np.ndarray:
    """Colour a frame, RGB uint8 ``(H, W, 3)``, by the shares of parts in its cells.

    A cell gets the mean colour of its parts, as strongly as its share of a person,
    over the frame in grey. ``shares`` have the shape ``(K, h, w)``; what lacks to 1 is
    not known.
    """
    person = np.delete(shares, label_set.background, axis=0)
    colours = np.delete(part_colours(label_set), label_set.background, axis=0)
    total = person.sum(axis=0)[..., None]
    mean = np.einsum('khw,kc->hwc', person, colours) / np.maximum(total, 1e-6)
    cells = np.concatenate([mean, total], axis=2).astype(np.float32)
    size = frame.shape[1::-1]
    large = cv2.resize(cells, size, interpolation=cv2.INTER_NEAREST)
    strength = 0.85 * np.clip(large[..., 3:], 0, 1)
    grey = frame.mean(axis=2, keepdims=True)
    mixed = (1 - strength) * grey + strength * large[..., :3]
    return mixed.round().astype(np.uint8)


def _joined(row: Sequence[np.ndarray]) -> np.ndarray:
    """Put frames beside one another, with a gap that is seen by day and by night."""
    gap = np.full((len(row[0]), 2, 3), _GAP, np.uint8)
    parts = [part for frame in row for part in (frame, gap)]
    return np.concatenate(parts[:-1], axis=1)
