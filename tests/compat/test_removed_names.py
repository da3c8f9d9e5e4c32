"""MMAction2 on NumPy 2 and Python 3.14: parts that stopped there, with known results.

They hold on NumPy 1 as well, where nothing is patched.
"""

import colorsys
import os
import pkgutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmkd.compat import removed_names
from tests.shared_files import ROOT
from tests.tools.toy_project import make_project, run_tool


def test_pose_compaction() -> None:
    from mmaction.datasets.transforms import PoseCompact

    # (M, T, V, 2): one person, one frame; (0, 0) is a joint that was not seen.
    joints = np.array([[30, 20], [70, 60], [0, 0]], np.float32)[None, None]
    results = {'img_shape': (100, 100), 'keypoint': joints}
    results = PoseCompact(padding=0.25, threshold=10).transform(results)
    # The box from 30 to 70 and 20 to 60 grows by a quarter of each half width, 5.
    assert results['img_shape'] == (50, 50)
    assert results['keypoint'][0, 0].tolist() == [[5, 5], [45, 45], [0, 0]]
    assert results['crop_quadruple'] == (0.25, 0.15, 0.5, 0.5)


def test_proposal_recall() -> None:
    from mmaction.evaluation import average_recall_at_avg_proposals

    truth = {'a': np.array([[0, 10]]), 'b': np.array([[5, 10]])}
    proposals = {
        'a': np.array([[0, 10, 0.9], [20, 30, 0.1]]),
        'b': np.array([[20, 30, 0.9], [5, 10, 0.1]]),
    }
    _, average, count, area = average_recall_at_avg_proposals(
        truth, proposals, 4, temporal_iou_thresholds=np.array([0.5])
    )
    assert count[[0, -1]] == pytest.approx([0.02, 2])
    # None below one proposal a video, a's from one on, both with two.
    assert average[[48, 49, 98, 99]].tolist() == [0, 0.5, 0.5, 1]
    between = [(a + b) / 2 for a, b in pairwise(average)]
    assert area == pytest.approx(100 * sum(between) * 0.02 / 2)


def test_average_precision_without_positives() -> None:
    from mmaction.evaluation.functional.ava_evaluation import metrics

    assert np.isnan(metrics.compute_average_precision(None, None))
    half = np.array([0.5, 1.0]), np.array([0.5, 1.0])
    assert metrics.compute_average_precision(*half) == pytest.approx(1.0)


def test_retrieval_recall() -> None:
    from mmaction.evaluation import RetrievalRecall

    scores = np.array([[0.1, 0.7, 0.2], [0.6, 0.3, 0.1]])
    first, second = RetrievalRecall.calculate(
        scores, [[1], [2]], topk=(1, 3), target_indices=True
    )
    assert (float(first), float(second)) == (50, 100)


def test_frames_are_extracted(tmp_path: Path) -> None:
    from mmaction.utils import frame_extract

    video = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*'MJPG'), 5, (64, 48))
    for level in (40, 200):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    paths, frames = frame_extract(str(video), short_side=24, out_dir=str(tmp_path))
    assert [Path(path).name for path in paths] == ['img_000001.jpg', 'img_000002.jpg']
    assert [frame.shape for frame in frames] == [(24, 32, 3)] * 2
    assert [round(frame.mean() / 20) for frame in frames] == [2, 10]


def test_overlap_of_tubes() -> None:
    from mmaction.evaluation.functional.multisports_utils import iou3dt_voc

    def tube(first: int, last: int, width: float) -> np.ndarray:
        frames = np.arange(first, last + 1, dtype=float)
        boxes = np.tile([0.0, 0.0, width, 10.0], (len(frames), 1))
        return np.column_stack([frames, boxes])

    # Frames 3 to 6 of 1 to 8 (MMAction2 takes ends, not counts: 3 / 7), half the width.
    assert iou3dt_voc(tube(1, 6, 10), tube(3, 8, 5)) == pytest.approx(0.5 * 3 / 7)
    assert iou3dt_voc(tube(1, 2, 10), tube(3, 8, 10)) == 0


@pytest.mark.parametrize('factor', [-0.5, -0.1, -0.004, 0.004, 0.1, 0.5])
def test_hue_turns_by_what_is_asked(factor: float) -> None:
    """Compare with Python's own HSV; OpenCV keeps hues in steps of two degrees."""
    from mmaction.datasets.transforms import ColorJitter

    if factor > 0.3 and not removed_names.refuses_negative_hue():
        pytest.skip('NumPy 1 is left alone, where such an offset overflows in uint8')
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (8, 8, 3)).astype(np.float32)
    turned = ColorJitter.adjust_hue(pixels, factor)
    assert turned.dtype == np.float32
    for before, after in zip(pixels.reshape(-1, 3), turned.reshape(-1, 3), strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*(before / 255))
        hue = (hue + int(factor * 255) / 180) % 1
        right = np.array(colorsys.hsv_to_rgb(hue, saturation, value)) * 255
        assert np.abs(after - right).max() < 9  # a step of two degrees is 8.5 levels


def test_nobody_else_sees_the_old_names() -> None:
    from mmaction.datasets.transforms import pose_transforms

    assert pose_transforms.np.Inf == np.inf
    assert pose_transforms.np.float32 is np.float32
    lacking = removed_names.lacks_old_numpy_names()
    assert hasattr(np, 'Inf') is not lacking
    assert (pose_transforms.np is np) is not lacking


def test_a_package_whose_parent_is_missing_has_no_loader() -> None:
    assert removed_names._find_loader('nothing.at.all') is None
    assert removed_names._find_loader('json.decoder') is not None


@pytest.mark.slow
def test_training_on_python_314(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without ``pkgutil.find_loader``, and workers that do not inherit by fork."""
    make_project(tmp_path)
    (tmp_path / 'sitecustomize.py').write_text(
        'import pkgutil\nif hasattr(pkgutil, "find_loader"):\n'
        '    del pkgutil.find_loader\n'
    )
    paths = [str(tmp_path), os.environ.get('PYTHONPATH', ''), str(ROOT)]
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(filter(None, paths)))
    code = (
        'import mmkd, pkgutil; from mmcv.utils import ext_loader; '
        'from mmengine.utils.dl_utils.misc import mmcv_full_available as full; '
        'print(hasattr(pkgutil, "find_loader"), full(), ext_loader.check_ops_exist())'
    )
    command = [sys.executable, '-c', code]
    asked = subprocess.run(command, capture_output=True, text=True)
    assert asked.stdout.split() == ['False', 'False', 'False'], asked.stderr
    options = (
        'train_cfg.max_epochs=1',
        'env_cfg.mp_cfg.mp_start_method=forkserver',
        'train_dataloader.num_workers=1',
    )
    config = 'configs/toy/tiny.py'
    done = run_tool(tmp_path, 'train.py', config, '--cfg-options', *options, fresh=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'work_dirs/toy/tiny/epoch_1.pth').is_file()


@pytest.mark.skipif(sys.version_info < (3, 14), reason='Python has find_loader')
def test_python_314_needs_the_patch() -> None:
    assert not hasattr(pkgutil, 'find_loader')
    assert removed_names.lacks_find_loader()
