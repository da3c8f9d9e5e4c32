"""The page with the tables of all experiments that ran, and their comparisons."""

import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from mmkd.commands.reproduce.experiment import Experiment
from mmkd.errors import UserError
from mmkd.files import read_json, write_text

_HEAD = """# Evidence

The central claims of the papers at the size of {size}, made by
`python tools/reproduce.py`. Every result is mean ± standard deviation over the seeds;
p values are those of a two-sided paired t-test, which with few seeds rarely says
anything. Small networks, small clips, few videos: what shows here need not show at full
scale, nor the other way round. The minutes of a section are summed over its stages, of
which several may have run at a time.
"""
_MACHINES = {'laptop': 'a laptop', 'gpu': 'one GPU'}
_REMARKS = '<!-- remarks -->'


def write_evidence(experiments: Sequence[Experiment], work_dir: Path, out: Path) -> int:
    """Write the page of the experiments whose results lie in ``work_dir``.

    Each section keeps what stands below its line ``<!-- remarks -->`` in the page that
    is there already. Returns the number of sections.
    """
    remarks = kept_remarks(out)
    preset = experiments[0].folder.name if experiments else 'laptop'
    sections = [_HEAD.format(size=_MACHINES.get(preset, preset))]
    for experiment in experiments:
        path = work_dir / experiment.name / 'figures.json'
        if path.exists():
            run = _read(path)
            run['date'] = date.fromtimestamp(path.stat().st_mtime).isoformat()
            text = _section(experiment, run)
            sections.append(f'{text}\n{_REMARKS}\n{remarks.get(experiment.name, "")}')
    write_text(out, '\n'.join(part.rstrip() + '\n' for part in sections))
    return len(sections) - 1


def _read(path: Path) -> dict[str, Any]:
    try:
        run: dict[str, Any] = read_json(path)
    except (OSError, ValueError) as error:
        raise UserError(
            f'{path} cannot be read: {error}', 'Remove it, and run the command again.'
        ) from None
    return run


def kept_remarks(page: Path) -> dict[str, str]:
    """Return what people wrote below the tables, by the experiments' names."""
    if not page.is_file():
        return {}
    parts = page.read_text(encoding='utf-8').split('\n## ')[1:]
    return {
        part.split('\n', 1)[0].strip(): part.split(_REMARKS, 1)[1].strip('\n')
        for part in parts
        if _REMARKS in part
    }


def _section(experiment: Experiment, run: dict[str, Any]) -> str:
    """Return heading, table and comparisons of one experiment."""
    arms: dict[str, dict[str, list[float]]] = run['arms']
    metrics = sorted({name for results in arms.values() for name in results})
    void = experiment.void
    struck = set(void['measures'] if void and run['date'] < void['before'] else ())
    seeds = ' '.join(map(str, run['seeds']))
    preset = experiment.folder.name
    chosen = f' --preset {preset}' if preset != 'laptop' else ''
    lines = [
        f'## {experiment.name}',
        '',
        f'{experiment.claim}',
        '',
        f'Seeds {seeds}; {run["minutes"]:.0f} minutes; {run["date"]}; '
        f'`python tools/reproduce.py {experiment.name}{chosen} --seeds {seeds}`.',
        *([_size(experiment.larger)] if experiment.larger else []),
        '',
        f'| | {" | ".join(_marked(name, name in struck) for name in metrics)} |',
        '|---' * (len(metrics) + 1) + '|',
    ]
    for arm, results in arms.items():
        if {*experiment.arms[arm]} <= {*experiment.shared}:
            results = {name: values[:1] for name, values in results.items()}
        cells = [
            _marked(_shown(results.get(name, [])), name in struck) for name in metrics
        ]
        lines.append(f'| {arm} | {" | ".join(cells)} |')
    valid = {
        arm: {name: values for name, values in results.items() if name not in struck}
        for arm, results in arms.items()
    }
    lines += ['', *(_differences(pair, valid) for pair in experiment.comparisons), '']
    if void and struck:
        lines += [f'**Struck**: {void["reason"]}', '']
    return '\n'.join(lines)


def _marked(text: str, struck: bool) -> str:
    return f'~~{text}~~' if struck and text else text


def _size(larger: dict[str, Any]) -> str:
    facts = ', '.join(f'{name} {value}' for name, value in larger.items())
    return (
        f'Larger than the configs: {facts} (width and epochs are factors; the names of '
        'the arms give the width of the configs).'
    )


def _shown(values: Sequence[float]) -> str:
    """Return mean ± spread; how many seeds have a finite result, where not all do."""
    finite = [value for value in values if math.isfinite(value)]
    if not values:
        return ''
    if not finite:
        return 'never'
    mean, spread = mean_and_spread(finite)
    digits = 2 if mean < 1.5 else 1
    text = f'{mean:.{digits}f}'
    if not math.isnan(spread):
        text += f' ± {spread:.{digits}f}'
    missing = len(values) - len(finite)
    return f'{text} ({missing} of {len(values)} never)' if missing else text


def _differences(pair: tuple[str, str], arms: dict[str, dict[str, list[float]]]) -> str:
    """Return a line with every metric of an arm less that of its baseline."""
    arm, baseline = (arms[name] for name in pair)
    parts = []
    for metric in sorted(set(arm) & set(baseline)):
        both = arm[metric] + baseline[metric]
        if all(map(math.isfinite, both)):
            parts.append(f'{metric} {compare(arm[metric], baseline[metric])}')
    return f'- {pair[0]} less {pair[1]}: {"; ".join(parts)}'


class Comparison(NamedTuple):
    """One arm against its baseline, seed by seed."""

    difference: float  # mean
    spread: float  # standard deviation of the differences, with n - 1
    # Two-sided, of Student's paired test. NaN where it says nothing: one seed, or
    # differences without spread.
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
    """Compare results of the same seeds in the same order, one a seed, all finite.

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
