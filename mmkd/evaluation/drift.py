"""How far training moved the features of a backbone."""

import copy
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmkd.evaluation.evaluate import load_model
from mmkd.evaluation.features import extract_features
from mmkd.evaluation.linear_cka import linear_cka


def feature_drift(config: Path, before: Path, after: Path) -> float:
    """Return linear CKA between the test videos' features of two checkpoints.

    Args:
        config: A fine-tuning config: its network and its test list are used.
        before: A checkpoint with ``backbone.*`` tensors.
        after: Another.

    Returns:
        1 if the features are the same up to rotation and scale.
    """
    cfg = Config.fromfile(config)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    loader = Runner.build_dataloader(copy.deepcopy(cfg.test_dataloader), seed=0)
    vectors = [
        extract_features(load_model(cfg, str(path)), loader, path.parent.name).vectors
        for path in (before, after)
    ]
    return linear_cka(*vectors)
