"""Mean, spread and a paired test of an experiment's figures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Comparison:
    """One arm against its baseline, seed by seed.

    Attributes:
        difference: Mean difference.
        spread: Standard deviation of the differences, with ``n - 1``.
        p_value: Two-sided, of Student's paired test. NaN where it says nothing: one
            seed, or differences without spread.
    """

    difference: float
    spread: float
    p_value: float

    def __str__(self) -> str:
        p = 'no test' if math.isnan(self.p_value) else f'p = {self.p_value:.2f}'
        digits = 2 if max(abs(self.difference), self.spread) < 1 else 1
        # Adding 0 makes a positive zero of a negative one.
        difference = round(self.difference, digits) + 0.0
        return f'{difference:+.{digits}f} ± {self.spread:.{digits}f} ({p})'


def mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard deviation (``n - 1``; NaN of one value)."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
    return float(np.mean(values)), spread


def compare(arm: Sequence[float], baseline: Sequence[float]) -> Comparison:
    """Compare figures of the same seeds.

    Args:
        arm: One figure a seed, finite.
        baseline: Those of the baseline, in the same order.

    Raises:
        ValueError: If the numbers of seeds differ.
    """
    if len(arm) != len(baseline):
        raise ValueError(f'{len(arm)} seeds against {len(baseline)}')
    differences = np.subtract(arm, baseline)
    mean, spread = mean_and_spread(differences.tolist())
    testable = len(arm) > 1 and spread > 0
    p_value = stats.ttest_rel(arm, baseline).pvalue if testable else math.nan
    return Comparison(mean, spread, float(p_value))
