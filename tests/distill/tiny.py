"""Networks, clips and checkpoints small enough to be trained in a blink."""

from pathlib import Path
from typing import Any

import torch
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope
from mmengine.structures import LabelData

from mmkd.distill import Distiller
from mmkd.registry import MODELS

LOGITS: dict[str, Any] = {
    'student': 'cls_head.fc_cls',
    'loss': {'type': 'mmkd.SoftTargetKL', 'temperature': 2.0},
}
FEATURE: dict[str, Any] = {
    'student': 'backbone',
    'pool': True,
    'loss': {'type': 'mmkd.FeatureDistance'},
}


def recognizer(
    width: int = 4, classes: int = 3, dropout: float = 0.5, convention: str = 'imagenet'
) -> dict[str, Any]:
    """Config of a stock Recognizer3D, with dropout."""
    # Other tests leave another scope behind.
    init_default_scope('mmaction')
    return {
        'type': 'Recognizer3D',
        'data_preprocessor': {
            'type': 'mmkd.ClipPreprocessor',
            'convention': convention,
        },
        'backbone': {
            'type': 'ResNet3d',
            'depth': 18,
            'stage_blocks': (1, 1, 1, 1),
            'base_channels': width,
            'conv1_kernel': (3, 3, 3),
            'with_pool1': False,
            'norm_eval': False,
            'pretrained': None,
            'pretrained2d': False,
            'zero_init_residual': False,
        },
        'cls_head': {
            'type': 'I3DHead',
            'num_classes': classes,
            'in_channels': width * 8,
            'dropout_ratio': dropout,
            'average_clips': 'prob',
        },
    }


def pretrainer(width: int = 4) -> dict[str, Any]:
    """Config of PCL(VCP): three views, a pretext task and two memory banks."""
    return {
        'type': 'mmkd.Pretrainer',
        'backbone': recognizer(width)['backbone'],
        'data_preprocessor': {
            'type': 'mmkd.ClipPreprocessor',
            'convention': 'imagenet',
        },
        'joint_views': False,
        'tasks': {
            'vcp': {'type': 'mmkd.ClipTransform'},
            'contrast': {'type': 'mmkd.MemoryContrast', 'num_negatives': 4},
        },
    }


def teacher(config: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Config of a teacher of that network, with a random start."""
    return {
        'type': 'mmkd.FrozenTeacher',
        'config': config,
        'checkpoint': 'random',
        **changes,
    }


def distiller(
    losses: dict[str, Any] | None = None, seed: int = 0, **changes: Any
) -> Distiller:
    """A built Distiller of two tiny recognizers."""
    torch.manual_seed(seed)
    options = {
        'type': 'mmkd.Distiller',
        'student': recognizer(),
        'teacher': teacher(recognizer(width=2)),
        'losses': losses if losses is not None else {'logits': LOGITS},
    }
    return MODELS.build({**options, **changes})


def clips(
    seed: int = 0, number: int = 4, frames: int = 4, views: int = 1
) -> dict[str, Any]:
    """A batch of raw clips with classes, as the data loader gives it."""
    generator = torch.Generator().manual_seed(seed)
    shape = (views, 3, frames, 16, 16)
    samples = []
    for index in range(number):
        sample = ActionDataSample().set_gt_label(index % 3)
        sample.set_metainfo({'sample_idx': index})
        sample.view_labels = LabelData(transform=torch.full((views,), index % 5))
        samples.append(sample)
    return {
        'inputs': [
            torch.randint(256, shape, generator=generator).byte() for _ in range(number)
        ],
        'data_samples': samples,
    }


def save(path: Path, config: dict[str, Any], seed: int = 1, **meta: Any) -> str:
    """Save a random network as a checkpoint."""
    torch.manual_seed(seed)
    model = MODELS.build(config)
    torch.save({'state_dict': model.state_dict(), 'meta': meta}, path)
    return str(path)
