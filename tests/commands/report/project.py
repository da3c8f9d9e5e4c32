"""A folder of runs of every kind, written by hand: no training takes place."""

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import torch
from mmengine.config import Config

from mmkd.commands.evaluate import main as evaluate
from mmkd.files import write_text
from mmkd.registry import MODELS
from tests.methods.human_prior.test_preprocessor import BrightParser  # noqa: F401
from tests.tools.toy_project import make_project

CONFIG = 'configs/toy/tiny.py'
CLASSES = ('wave <hello>', 'jump & run')
EPOCHS, ITERATIONS = 4, 10

PARSING = """
    default_scope = 'mmaction'
    custom_imports = dict(imports=['tests.commands.report.project'])
    model = dict(
        type='mmkd.Pretrainer',
        data_preprocessor=dict(
            type='mmkd.ParsingPreprocessor', parser=dict(type='mmkd.BrightParser'),
            size=8, views=(0,), convention='bgr255'),
        backbone=dict(
            type='ResNet3d', depth=18, stage_blocks=(1, 1, 1, 1), base_channels=2,
            with_pool1=False, norm_eval=False, conv1_kernel=(3, 3, 3),
            pretrained=None, pretrained2d=False, zero_init_residual=False),
        tasks=dict(parsing=dict(type='mmkd.ParsingDistill', label_set='synthetic')))
    train_dataloader = dict(dataset=dict(
        type='VideoDataset', ann_file='data/list.txt',
        data_prefix=dict(video='data/videos'), pipeline=[
            dict(type='mmkd.OpenVideo'),
            dict(type='mmkd.PaceViews', clip_len=4, paces=(1,)),
            dict(type='mmkd.DecodeViews'),
            dict(type='Resize', scale=(32, 32), keep_ratio=False),
            dict(type='FormatShape', input_format='NCTHW'),
            dict(type='mmkd.PackViews')]))
"""


def make_runs(folder: Path) -> None:
    """Write ``work/`` with a pre-training, a fine-tuning and an evaluation.

    Args:
        folder: An empty one; it must be the current one.
    """
    make_project(folder)
    lines = (folder / 'data/list.txt').read_text()
    # More than the six videos that a map of features needs.
    (folder / 'data/list.txt').write_text(lines * 2)
    (folder / 'data/classes.txt').write_text('\n'.join(CLASSES) + '\n')
    pre = write_run(folder / 'work/pretrain', '20260101_000000', _pretraining())
    write_text(pre / 'vis_data/config.py', dedent(PARSING))
    save_weights(folder / 'work/pretrain', Config.fromfile(pre / 'vis_data/config.py'))
    fine = write_run(folder / 'work/finetune', '20260101_000001', _fine_tuning())
    cfg = Config.fromfile(CONFIG)
    write_text(fine / 'vis_data/config.py', cfg.pretty_text)
    save_weights(folder / 'work/finetune', cfg)
    path = 'work/found/metrics.json'
    protocols = ('--protocols', 'knn', 'retrieval', '--k', '1')
    evaluate([CONFIG, 'random', *protocols, '--json', path])


def write_run(folder: Path, start: str, rows: list[dict[str, Any]]) -> Path:
    """Write a log, and return the folder of its start."""
    text = ''.join(json.dumps(row) + '\n' for row in rows)
    write_text(folder / start / 'vis_data/scalars.json', text)
    return folder / start


def save_weights(folder: Path, cfg: Config) -> None:
    """Save the weights that a config's model starts from as the last epoch's."""
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    state = {'state_dict': model.state_dict(), 'meta': {}}
    torch.save(state, folder / f'epoch_{EPOCHS}.pth')
    (folder / 'last_checkpoint').write_text(f'epoch_{EPOCHS}.pth')


def _pretraining() -> list[dict[str, Any]]:
    rows = []
    for step in range(2, EPOCHS * ITERATIONS + 1, 2):
        epoch = -(-step // ITERATIONS)
        values = {'lr': 0.1 / epoch, 'loss': 3 / step, 'clips_per_s': 50.0}
        values |= {'parsing/loss': 3 / step, 'parsing/acc': step / 40, 'time': 0.5}
        values |= {'data_wait': 0.25, 'skd/agreement': 1 - 1 / step}
        rows.append({**values, 'iter': step, 'epoch': epoch, 'step': step})
        if step % ITERATIONS == 0:
            held = {'held_out/parsing/acc': epoch / 5, 'epoch': epoch, 'step': epoch}
            rows += [held, {'online_knn/top1': 10.0 * epoch, 'step': epoch}]
    return rows


def _fine_tuning() -> list[dict[str, Any]]:
    return [
        {'lr': 0.1, 'loss': 1 / n, 'top1_acc': 0.5, 'iter': n, 'epoch': n, 'step': n}
        for n in range(1, EPOCHS + 1)
    ]
