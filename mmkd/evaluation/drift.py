"""Measure how far training moved the features of a backbone."""

from pathlib import Path

from torch import Tensor

from mmkd.config_files import read_config
from mmkd.evaluation.evaluate import Evaluation, SplitEvaluation


def feature_drift(config: Path, before: Path, after: Path, work_dir: Path) -> float:
    """Return linear CKA between the test videos' features of two checkpoints.

    It is 1 if the features are the same up to rotation and scale. Network and test list
    are those of a fine-tuning config; the tables of features in ``work_dir`` are made
    once.

    Raises:
        UserError: If a checkpoint does not fit the config.
    """
    cfg = read_config(config)
    vectors = []
    for path in (before, after):
        settings = Evaluation(str(path), protocols=(), work_dir=work_dir)
        table = SplitEvaluation(cfg, None, settings).features('test')
        vectors.append(table['average'])
    return linear_cka(*vectors)


def linear_cka(first: Tensor, second: Tensor) -> float:
    r"""Return linear CKA of two feature matrices of the same samples.

    .. math:: \|Y^T X\|_F^2 / (\|X^T X\|_F \, \|Y^T Y\|_F)

    with columns centred: 1 for features that are equal up to rotation and scale, near 0
    for unrelated ones (with few samples of many dimensions it stays above 0).

    Source: Kornblith et al. 2019, https://arxiv.org/abs/1905.00414.

    Args:
        first: Shape ``(V, C)``.
        second: Shape ``(V, D)``, of the same samples in the same order.

    Raises:
        ValueError: If the numbers of samples differ, or a matrix is constant.
    """
    if len(first) != len(second):
        raise ValueError(f'{len(first)} samples against {len(second)}')
    x, y = (m.double() - m.double().mean(dim=0) for m in (first, second))
    within = (x.T @ x).norm() * (y.T @ y).norm()
    if within == 0:
        raise ValueError('features that are the same for every sample')
    return float((y.T @ x).norm() ** 2 / within)
