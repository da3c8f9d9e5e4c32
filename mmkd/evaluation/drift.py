"""How far training moved the features of a backbone."""

from pathlib import Path

from mmengine.config import Config

from mmkd.evaluation.evaluate import Evaluation, SplitEvaluation
from mmkd.evaluation.linear_cka import linear_cka


def feature_drift(config: Path, before: Path, after: Path, work_dir: Path) -> float:
    """Return linear CKA between the test videos' features of two checkpoints.

    Args:
        config: A fine-tuning config: its network and its test list are used.
        before: A checkpoint with ``backbone.*`` tensors.
        after: Another.
        work_dir: Folder of the tables of features, which are made once.

    Returns:
        1 if the features are the same up to rotation and scale.

    Raises:
        UserError: If a checkpoint does not fit the config.
    """
    cfg = Config.fromfile(config)
    vectors = []
    for path in (before, after):
        what = Evaluation(str(path), protocols=(), work_dir=work_dir)
        table = SplitEvaluation(cfg, None, what).features('test')
        vectors.append(table['average'])
    return linear_cka(*vectors)
