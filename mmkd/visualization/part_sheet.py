"""Aligned part maps over the augmented clips of a training config. Ours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmkd.datasets.part_maps import read_identity
from mmkd.errors import UserError
from mmkd.part_labels import LabelSet
from mmkd.visualization.part_overlay import (
    OUTSIDE,
    legend,
    overlay,
    stack,
    titled_row,
    to_labels,
)

_HEIGHT = 112  # pixels


@dataclass(frozen=True)
class Sample:
    """The clips of one video as training sees them, and their maps.

    Attributes:
        name: The video.
        frames: RGB uint8 ``(M, T, H, W, 3)``.
        labels: uint8 ``(M, T, s, s)``; 255 is outside of the frame.
        valid: bool ``(M, T)``.
    """

    name: str
    frames: np.ndarray
    labels: np.ndarray
    valid: np.ndarray

    def picture(self, view: int, time: int, label_set: LabelSet) -> np.ndarray:
        """Return one frame with its map, or pale where the map is not valid.

        A small frame is enlarged to about 112 pixels.
        """
        frame = self.frames[view, time]
        zoom = max(1, round(_HEIGHT / len(frame)))
        frame = cv2.resize(frame, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
        if not self.valid[view, time]:
            return (frame // 2 + 127).astype(np.uint8)
        return overlay(frame, self.labels[view, time], label_set)


def label_set_of(cfg: Config) -> LabelSet:
    """Return the label set of the cache that a config's pipeline loads.

    Raises:
        UserError: If it loads none, or the cache is not there.
    """
    dataset = cfg.train_dataloader.dataset
    for step in dataset.get('pipeline', ()):
        if str(step.get('type')).endswith('LoadPartMaps'):
            return read_identity(Path(step.cache)).label_set
    raise UserError(
        f'the training pipeline of {cfg.filename} loads no part maps',
        'Name a config with mmkd.LoadPartMaps.',
    )


def samples(cfg: Config, count: int) -> Iterator[Sample]:
    """Yield the first samples of a config's training data.

    Raises:
        UserError: If their maps are missing or not packed.
    """
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    label_set = label_set_of(cfg)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    for number in range(min(count, len(dataset))):
        packed = dataset[number]
        sample = packed['data_samples']
        if 'part_maps' not in sample:
            raise UserError(
                f'{cfg.filename} packs no part maps', 'End with mmkd.PackViews.'
            )
        frames = packed['inputs'].permute(0, 2, 3, 4, 1).numpy()
        maps = to_labels(sample.part_maps.maps.numpy(), label_set)
        name = Path(sample.metainfo.get('filename', f'sample {number}')).name
        yield Sample(name, frames, maps, sample.part_maps.valid.numpy())


def contact_sheet(
    samples: Sequence[Sample], label_set: LabelSet, columns: int = 6
) -> np.ndarray:
    """Draw a row for each view, with frames spread over its time.

    Args:
        samples: What to show.
        label_set: Their labels.
        columns: Frames of a row. Defaults to 6.

    Returns:
        RGB uint8 ``(H, W, 3)``, with a legend of the parts that occur.
    """
    rows = []
    for sample in samples:
        views, length = sample.valid.shape
        times = np.linspace(0, length - 1, min(columns, length)).round().astype(int)
        for view in range(views):
            pictures = [sample.picture(view, time, label_set) for time in times]
            rows.append(titled_row(pictures, f'{sample.name}, view {view}'))
    present = parts_of(samples, label_set)
    return stack([*rows, legend(label_set, rows[0].shape[1], present)])


def sheet_frames(
    samples: Sequence[Sample], label_set: LabelSet
) -> Iterator[np.ndarray]:
    """Yield the pictures of a film of all clips at once: a row a video.

    Raises:
        UserError: If the clips of the samples differ in length.
    """
    lengths = {sample.valid.shape[1] for sample in samples}
    if len(lengths) > 1:
        raise UserError(f'clips of {sorted(lengths)} frames', 'Show one video.')
    present = parts_of(samples, label_set)
    for time in range(lengths.pop()):
        rows = [
            titled_row(
                [s.picture(view, time, label_set) for view in range(len(s.valid))],
                s.name,
            )
            for s in samples
        ]
        width = max(row.shape[1] for row in rows)
        yield stack([*rows, legend(label_set, width, present)])


def parts_of(samples: Sequence[Sample], label_set: LabelSet) -> list[int]:
    """Return the parts that occur in valid maps, without the background."""
    found = {int(part) for s in samples for part in np.unique(s.labels[s.valid])} - {
        OUTSIDE,
        label_set.background,
    }
    return sorted(found)
