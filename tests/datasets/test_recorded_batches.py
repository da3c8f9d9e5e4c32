"""What a sampler and its augmentation draw stays what was recorded.

Types and arguments of a pipeline do not show a draw that comes one call earlier. Here
the first two batches of each tiny config are compared with a record: labels exactly,
pixels by averages that see a crop, a flip, another frame or another colour, and that
another build of OpenCV or of the decoder does not change. A change on purpose is
recorded by

    python -m tests.datasets.test_recorded_batches
"""

import json
import os
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmkd.engine.runner import ResumableRunner
from tests.engine.micro_runs import FRAMES, VIDEOS, micro_config, write_videos
from tests.engine.toy import ToyNet
from tests.shared_files import ROOT

CONFIGS = sorted((ROOT / 'configs/tiny').glob('*_synthetic.py'))
RECORD = Path(__file__).with_name('recorded_batches.json')
BATCHES = 2
# Of 255. A step in time, to the right or down is 5 to 8; videos that OpenCV 4 writes
# differ from those of OpenCV 5 by up to 2.1.
LEVELS = 3.0

Batches = list[list[dict[str, Any]]]


def summary(clips: np.ndarray) -> list[list[float]]:
    """Return six averages of each view ``(M, 3, T, H, W)``: colours, and three slopes.

    A slope is the difference between the halves of an axis: the last and first frames,
    below and above, right and left.
    """
    views = clips.astype(np.float64)
    numbers = [views.mean((2, 3, 4))]
    for axis in (2, 3, 4):
        first, last = np.array_split(views, 2, axis)
        numbers.append((last.mean((1, 2, 3, 4)) - first.mean((1, 2, 3, 4)))[:, None])
    return np.concatenate(numbers, 1).round(1).tolist()


def drawn(path: Path, work_dir: Path) -> Batches:
    """Return labels and averages of the first batches of a config."""
    cfg = micro_config(path, work_dir)
    cfg.model = ToyNet()  # only the data counts
    runner = ResumableRunner.from_cfg(cfg)
    loop = runner.build_train_loop(cfg.train_cfg)
    return [
        [
            {
                'labels': labels_of(sample),
                'averages': summary(clip.numpy()),
            }
            for clip, sample in zip(batch['inputs'], batch['data_samples'], strict=True)
        ]
        for batch in islice(iter(loop.dataloader), BATCHES)
    ]


def labels_of(sample: Any) -> dict[str, list[int]]:
    """Return the labels of a sample; a recognizer's is that of its video."""
    views = sample.get('view_labels')
    if views is None:
        return {'video': sample.gt_label.tolist()}
    return {name: value.tolist() for name, value in views.items()}


def without_averages(batches: Batches) -> Any:
    return [[{**sample, 'averages': None} for sample in batch] for batch in batches]


def averages(batches: Batches) -> np.ndarray:
    """Return the averages of all samples, (samples, views, 6)."""
    return np.array([s['averages'] for batch in batches for s in batch])


def write_gradients(folder: Path) -> None:
    """Write the videos that the tiny configs name: red is time, green x, blue y."""
    write_videos(folder)  # with their lists
    x, y = np.meshgrid(np.arange(32), np.arange(32))
    for index in range(VIDEOS):
        path = folder / f'data/synthetic/videos/{index}.avi'
        codec = cv2.VideoWriter_fourcc(*'MJPG')
        writer = cv2.VideoWriter(str(path), codec, 25, (32, 32))
        for time in range(FRAMES):
            red = np.full_like(x, 5 * time + 8 * index)
            writer.write(np.stack([8 * y, 8 * x, red], 2).astype(np.uint8))
        writer.release()


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('batches')
    write_gradients(path)
    return path


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_batches_are_those_of_the_record(
    path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    found = drawn(path, folder / 'work')
    recorded = json.loads(RECORD.read_text())[path.stem]
    assert without_averages(found) == without_averages(recorded)
    difference = np.abs(averages(found) - averages(recorded))
    assert difference.max() <= LEVELS


def test_a_step_in_time_or_space_is_seen() -> None:
    time, y, x = np.indices((9, 9, 9))
    ramps = np.stack([5 * time, 8 * x, 8 * y])
    whole = np.array(summary(ramps[None, :, :8, :8, :8]))
    for moved in (ramps[:, 1:, :8, :8], ramps[:, :8, 1:, :8], ramps[:, :8, :8, 1:]):
        assert np.abs(summary(moved[None]) - whole).max() > LEVELS
    for axis in (2, 3, 4):
        turned = np.flip(ramps[None, :, :8, :8, :8], axis)
        assert np.abs(summary(turned) - whole).max() > LEVELS


def test_every_record_has_its_config() -> None:
    assert json.loads(RECORD.read_text()).keys() == {path.stem for path in CONFIGS}


def record() -> None:
    """Write what is drawn today."""
    with TemporaryDirectory() as name:
        write_gradients(Path(name))
        os.chdir(name)
        init_default_scope('mmaction')
        found = {path.stem: drawn(path, Path(name)) for path in CONFIGS}
    lines = [f'{json.dumps(key)}: {json.dumps(found[key])}' for key in sorted(found)]
    RECORD.write_text('{\n' + ',\n'.join(lines) + '\n}\n')


if __name__ == '__main__':
    record()
