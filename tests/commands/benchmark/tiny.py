"""A config of auxSKD at 16 pixels, and one of fine-tuning, small enough to be timed."""

from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd.datasets import pipeline_steps

ROOT = Path(__file__).resolve().parents[3]
BACKBONE = {
    'type': 'mmkd.C3D',
    'base_channels': 4,
    'stage_blocks': (1, 1, 1, 1, 1),
}


def auxskd(**optimizer: Any) -> Config:
    """auxSKD as its config has it, on clips of 8 frames of 16 pixels."""
    cfg = Config.fromfile(ROOT / 'configs/auxskd/c3d_ucf101.py')
    cfg.model.backbone = BACKBONE
    cfg.model.tasks.skd.update(queue_size=12, embedding=8, predictor_hidden=16)
    _shrink(cfg)
    if optimizer:
        cfg.optim_wrapper = {'optimizer': optimizer}
    return cfg


def fine_tuning() -> Config:
    """Fine-tuning as its config has it, on clips of 8 frames of 16 pixels."""
    cfg = Config.fromfile(ROOT / 'configs/finetune/c3d_ucf101.py')
    cfg.model.backbone = BACKBONE
    cfg.model.cls_head.update(in_channels=32, num_classes=3)
    _shrink(cfg)
    return cfg


def vcop() -> Config:
    """Clip order: three views of a video."""
    cfg = Config.fromfile(ROOT / 'configs/vcop/c3d_ucf101.py')
    cfg.model.backbone = BACKBONE
    _shrink(cfg)
    return cfg


def _shrink(cfg: Config) -> None:
    for step in _steps(pipeline_steps(cfg.train_dataloader.dataset)):
        if 'clip_len' in step:
            step.clip_len = 8
        if step['type'] in ('RandomCrop', 'CenterCrop'):
            step.size = 16
        if step['type'] == 'Resize':
            step.scale = (20, 16) if step.scale == (171, 128) else (16, 16)


def _steps(pipeline: Any) -> Any:
    for step in pipeline:
        yield step
        yield from _steps(step.get('transforms', []))
