"""The human prior: what the parser sees in a clip, and what the student predicts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from torch import Tensor

from mmkd.engine.hooks.held_out_pretext import held_out_dataset, same_draws
from mmkd.engine.preflight.datasets import check_datasets
from mmkd.errors import UserError
from mmkd.evaluation.lists import innermost
from mmkd.evaluation.model import load_whole_model
from mmkd.last_checkpoint import latest_checkpoint
from mmkd.models.pretrainer import Pretrainer, stack_parts
from mmkd.models.tasks import ParsingDistill
from mmkd.part_labels import LabelSet
from mmkd.visualization.part_overlay import OUTSIDE, overlay, part_colours, to_labels
from mmkd.visualization.report.html import absent, legend, paragraph
from mmkd.visualization.report.previews import still
from mmkd.visualization.report.results import read_config
from mmkd.visualization.report.runs import Run

_WIDTH = 112  # pixels of a frame
_COLUMNS = 8  # frames of a strip
_GAP = 128  # grey


@dataclass(frozen=True)
class PartClip:
    """One clip with the parser's maps and the student's prediction.

    Attributes:
        name: The video.
        frames: RGB uint8 ``(T, H, W, 3)``.
        teacher: The parser's labels, uint8 ``(T, s, s)``.
        asked: Shares of the parts in the student's cells, ``(K, t, h, w)``.
        predicted: What the student makes of them, ``(K, t, h, w)``.
    """

    name: str
    frames: np.ndarray
    teacher: np.ndarray
    asked: np.ndarray
    predicted: np.ndarray


def parsing_runs(runs: Sequence[Run]) -> list[tuple[Run, Config]]:
    """Return the trainings with a ``ParsingDistill`` task, and their configs."""
    found = []
    for run in runs:
        cfg = read_config(run.config) if run.is_training else None
        if cfg is None or not cfg.get('model'):
            continue
        model = cfg.model.get('student') or cfg.model
        tasks = model.get('tasks', {})
        if any(str(t.get('type')).endswith('ParsingDistill') for t in tasks.values()):
            cfg.model = model
            found.append((run, cfg))
    return found


def part_strips(run: Run, cfg: Config, count: int = 3) -> str:
    """Return clips of the training list with their maps, frame by frame.

    Args:
        run: A training with a ``ParsingDistill`` task.
        cfg: Its config.
        count: Number of clips. Defaults to 3.

    Raises:
        UserError: If its checkpoint, its videos or its maps are not there.
    """
    checkpoint = latest_checkpoint(str(run.folder))
    if checkpoint is None:
        raise UserError(f'{run.folder} holds no checkpoint')
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    check_datasets(cfg, ('train_dataloader',))
    model = load_whole_model(cfg, checkpoint).eval()
    task = next(t for t in model.tasks.values() if isinstance(t, ParsingDistill))
    label_set = task.label_set
    clips = list(_clips(model, task, cfg, count))
    if not clips:
        return absent(f'{run.name}: no clip shows a person')
    present = sorted(
        {int(n) for clip in clips for n in np.unique(clip.teacher)}
        - {OUTSIDE, label_set.background}
    )
    size = ' x '.join(map(str, clips[0].predicted.shape[1:]))
    text = paragraph(
        f'{run.name}, `{Path(checkpoint).name}`: clips of its training list, as it '
        f'sees them. The student answers for {size} cells (time x height x width); a '
        'cell takes the colours of its parts, as strongly as it shows a person.'
    )
    strips = ''.join(_strips(clip, label_set) for clip in clips)
    return text + _legend(label_set, present) + strips


@torch.no_grad()
def _clips(
    model: Any, task: ParsingDistill, cfg: Config, count: int
) -> Iterator[PartClip]:
    name = next(k for k, v in model.tasks.items() if v is task)
    view = task.views[0]
    loaded = innermost(cfg.train_dataloader.dataset)
    config = held_out_dataset(cfg.train_dataloader.dataset, loaded.ann_file)
    dataset = DATASETS.build(config)
    with same_draws(0):
        for place in np.linspace(0, len(dataset) - 1, min(count, len(dataset))):
            packed = dataset[int(place)]
            frames = packed['inputs'][view].permute(1, 2, 3, 0).numpy()
            batch = model.data_preprocessor(pseudo_collate([packed]), False)
            file = packed['data_samples'].metainfo.get('filename', f'video {place:.0f}')
            yield _clip(Path(file).name, frames, model, task, name, batch)


def _clip(
    file: str,
    frames: np.ndarray,
    model: Pretrainer,
    task: ParsingDistill,
    name: str,
    batch: dict[str, Any],
) -> PartClip:
    view = task.views[0]
    parts = stack_parts(batch['data_samples'])
    if parts is None:
        raise UserError('the samples have no part maps', 'See docs/part_maps.md.')
    maps, valid = parts.maps[:, view], parts.valid[:, view]
    logits = task.head(model.task_maps(batch['inputs'])[name][view].float())
    asked, _ = task.targets(maps, valid, logits.shape)
    labels = to_labels(maps.cpu().numpy(), task.label_set)[0]
    return PartClip(file, frames, labels, _numpy(asked), _numpy(logits.softmax(dim=1)))


def _numpy(cells: Tensor) -> np.ndarray:
    return cells[0].float().cpu().numpy()


def _strips(clip: PartClip, label_set: LabelSet) -> str:
    length = len(clip.frames)
    times = np.linspace(0, length - 1, min(_COLUMNS, length)).round().astype(int)
    frames = [_scaled(clip.frames[time]) for time in times]
    pairs = list(zip(frames, times, strict=True))
    rows = {
        'clip': frames,
        "parser's map": [overlay(f, clip.teacher[t], label_set) for f, t in pairs],
        'the same, in cells': _tinted(clip.asked, pairs, length, label_set),
        'student predicts': _tinted(clip.predicted, pairs, length, label_set),
    }
    cells = ''.join(
        f'<span>{escape(title)}</span>{still(_joined(row), f"{title}: {clip.name}")}'
        for title, row in rows.items()
    )
    return f'<h3>{escape(clip.name)}</h3><div class="parts">{cells}</div>'


def _tinted(
    cells: np.ndarray,
    pairs: Sequence[tuple[np.ndarray, int]],
    length: int,
    label_set: LabelSet,
) -> list[np.ndarray]:
    steps = cells.shape[1]
    return [
        tint(frame, cells[:, time * steps // length], label_set)
        for frame, time in pairs
    ]


def tint(frame: np.ndarray, shares: np.ndarray, label_set: LabelSet) -> np.ndarray:
    """Colour a frame by the shares of the parts in its cells.

    Args:
        frame: RGB uint8 ``(H, W, 3)``.
        shares: Shares of the parts, ``(K, h, w)``; what lacks to 1 is not known.
        label_set: Their labels.

    Returns:
        RGB uint8 ``(H, W, 3)``: the mean colour of a cell's parts, as strongly as its
        share of a person, over the frame in grey.
    """
    person = np.delete(shares, label_set.background, axis=0)
    colours = np.delete(part_colours(label_set), label_set.background, axis=0)
    total = person.sum(axis=0)
    mean = (
        np.einsum('khw,kc->hwc', person, colours) / np.maximum(total, 1e-6)[..., None]
    )
    size = frame.shape[1::-1]
    large = cv2.resize(mean.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    strength = cv2.resize(
        total.astype(np.float32), size, interpolation=cv2.INTER_NEAREST
    )
    strength = 0.85 * np.clip(strength, 0, 1)[..., None]
    grey = frame.mean(axis=2, keepdims=True)
    return ((1 - strength) * grey + strength * large).round().astype(np.uint8)


def _scaled(frame: np.ndarray) -> np.ndarray:
    height = max(1, round(_WIDTH * frame.shape[0] / frame.shape[1]))
    return cv2.resize(frame, (_WIDTH, height), interpolation=cv2.INTER_CUBIC)


def _joined(row: Sequence[np.ndarray]) -> np.ndarray:
    """Put frames beside one another, with a gap that is seen by day and by night."""
    gap = np.full((len(row[0]), 2, 3), _GAP, np.uint8)
    parts = [part for frame in row for part in (frame, gap)]
    return np.concatenate(parts[:-1], axis=1)


def _legend(label_set: LabelSet, present: Sequence[int]) -> str:
    colours = part_colours(label_set)
    entries = []
    for part in present:
        fill = '#' + ''.join(f'{value:02x}' for value in colours[part])
        swatch = f'<rect width="18" height="10" rx="2" style="fill:{fill}"/>'
        entries.append((label_set.labels[part].replace('_', ' '), swatch))
    return legend(entries)
