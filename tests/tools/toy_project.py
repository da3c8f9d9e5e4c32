"""A folder with a few tiny videos, lists and a config, to run the tools in."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import cv2
import numpy as np

from tests.warm import run_program

ROOT = Path(__file__).resolve().parents[2]

CONFIG = """
    _base_ = {base!r}
    model = dict(
        type='Recognizer3D',
        data_preprocessor=dict(type='mmkd.ClipPreprocessor', convention='bgr255'),
        backbone=dict(
            type='ResNet3d', depth=18, stage_blocks=(1, 1, 1, 1), base_channels=2,
            with_pool1=False, norm_eval=False, conv1_kernel=(3, 3, 3),
            pretrained=None, pretrained2d=False, zero_init_residual=False),
        cls_head=dict(type='I3DHead', num_classes=2, in_channels=16,
                      average_clips='prob'))
    pipeline = [
        dict(type='DecordInit', num_threads=1),
        dict(type='SampleFrames', clip_len=4, frame_interval=1, num_clips=1,
             test_mode=True),
        dict(type='DecordDecode'),
        dict(type='Resize', scale=(16, 16), keep_ratio=False),
        dict(type='FormatShape', input_format='NCTHW'),
        dict(type='PackActionInputs'),
    ]
    dataset = dict(
        type='VideoDataset', ann_file='data/list.txt',
        data_prefix=dict(video='data/videos'), pipeline=pipeline)
    train_dataloader = dict(
        batch_size=2, num_workers=0, dataset=dataset,
        sampler=dict(type='DefaultSampler', shuffle=True))
    test_dataloader = dict(
        batch_size=1, num_workers=0, dataset=dataset,
        sampler=dict(type='DefaultSampler', shuffle=False))
    train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=2)
    test_cfg = dict(type='TestLoop')
    test_evaluator = dict(type='AccMetric')
    optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01))
"""


def make_project(folder: Path) -> None:
    """Write 4 videos of 6 frames, their list and ``configs/toy/tiny.py``."""
    videos = folder / 'data' / 'videos'
    videos.mkdir(parents=True)
    random = np.random.default_rng(0)
    lines = []
    for index in range(4):
        path = str(videos / f'{index}.avi')
        writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'MJPG'), 5, (64, 48))
        for frame in random.integers(0, 256, (6, 48, 64, 3), dtype=np.uint8):
            writer.write(frame)
        writer.release()
        lines.append(f'{index}.avi {index % 2}\n')
    (folder / 'data' / 'list.txt').write_text(''.join(lines))
    config = folder / 'configs' / 'toy' / 'tiny.py'
    config.parent.mkdir(parents=True)
    base = str(ROOT / 'configs' / '_base_' / 'default_runtime.py')
    config.write_text(dedent(CONFIG).format(base=base))


def run_tool(
    folder: Path, *command: str, fresh: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run ``tools/<command>`` in the folder.

    Args:
        folder: The current folder of the tool.
        command: The tool and its arguments.
        fresh: Whether an interpreter of its own is to start, as for a user. Defaults to
            a process that has imported the libraries (:mod:`tests.warm`). Scripts
            ``.sh`` are always run by bash.
    """
    tool, *arguments = command
    script = ROOT / 'tools' / tool
    if tool.endswith('.sh'):
        return _run(folder, ROOT, 'bash', str(script), *arguments)
    if fresh:
        return _run(folder, ROOT, sys.executable, str(script), *arguments)
    environment = tool_environment(ROOT)
    return run_program(folder, script, *arguments, environment=environment)


def run_python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder that is a copy of the repository."""
    return _run(folder, folder, sys.executable, *arguments)


def tool_environment(package: Path) -> dict[str, str]:
    """Return the variables of a tool, which is to import mmkd from that folder."""
    inherited = os.environ.get('PYTHONPATH', '')
    paths = [inherited, str(package)] if package == ROOT else [str(package), inherited]
    env = {
        **os.environ,
        'PYTHONPATH': os.pathsep.join(filter(None, paths)),
        'PYTHON': sys.executable,
        'OMP_NUM_THREADS': '1',
    }
    for name in ('RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'MMKD_SPLIT', 'PORT', 'NNODES'):
        env.pop(name, None)
    return env


def _run(
    folder: Path, package: Path, *command: str
) -> subprocess.CompletedProcess[str]:
    env = tool_environment(package)
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
