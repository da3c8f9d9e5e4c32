"""The page with the tables of all experiments that ran."""

import json
import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from mmkd.files import write_text
from mmkd.reproduction.experiment import Experiment
from mmkd.reproduction.summary import compare, mean_and_spread

HEAD = """# Evidence

The central claims of the papers at the size of {size}, made by
`python tools/reproduce.py`. Every figure is mean ± standard deviation over the seeds;
p values are those of a two-sided paired t-test, which with few seeds rarely says
anything. Small networks, small clips, few videos: what shows here need not show at full
scale, nor the other way round. The minutes of a section are summed over its stages, of
which several may have run at a time.
"""
SIZES = {'laptop': 'a laptop', 'gpu': 'one GPU'}


def write_evidence(experiments: Sequence[Experiment], work_dir: Path, out: Path) -> int:
    """Write the page of the experiments whose figures lie in ``work_dir``.

    Each section keeps what stands below its line ``<!-- remarks -->`` in the page that
    is there already.

    Args:
        experiments: In the order of their sections.
        work_dir: Folder of all experiments.
        out: Markdown file.

    Returns:
        Number of sections.
    """
    remarks = kept_remarks(out)
    preset = experiments[0].folder.name if experiments else 'laptop'
    sections = [HEAD.format(size=SIZES.get(preset, preset))]
    for experiment in experiments:
        path = work_dir / experiment.name / 'figures.json'
        if path.exists():
            run = json.loads(path.read_text())
            run['date'] = date.fromtimestamp(path.stat().st_mtime).isoformat()
            text = section(experiment, run)
            sections.append(f'{text}\n{REMARKS}\n{remarks.get(experiment.name, "")}')
    write_text(out, '\n'.join(part.rstrip() + '\n' for part in sections))
    return len(sections) - 1


REMARKS = '<!-- remarks -->'


def kept_remarks(page: Path) -> dict[str, str]:
    """Return what people wrote below the tables, by the experiments' names."""
    if not page.exists():
        return {}
    parts = page.read_text(encoding='utf-8').split('\n## ')[1:]
    return {
        part.split('\n', 1)[0].strip(): part.split(REMARKS, 1)[1].strip('\n')
        for part in parts
        if REMARKS in part
    }


def section(experiment: Experiment, run: dict) -> str:
    """Return heading, table and comparisons of one experiment."""
    arms: dict[str, dict[str, list[float]]] = run['arms']
    measures = sorted({name for figures in arms.values() for name in figures})
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
        f'| | {" | ".join(measures)} |',
        '|---' * (len(measures) + 1) + '|',
    ]
    for arm, figures in arms.items():
        if {*experiment.arms[arm]} <= {*experiment.shared}:
            figures = {name: values[:1] for name, values in figures.items()}
        cells = [shown(figures.get(measure, [])) for measure in measures]
        lines.append(f'| {arm} | {" | ".join(cells)} |')
    lines += ['', *(differences(pair, arms) for pair in experiment.comparisons), '']
    return '\n'.join(lines)


def _size(larger: dict) -> str:
    facts = ', '.join(f'{name} {value}' for name, value in larger.items())
    return (
        f'Larger than the configs: {facts} (width and epochs are factors; the names of '
        'the arms give the width of the configs).'
    )


def shown(values: Sequence[float]) -> str:
    """Return mean ± spread; how many seeds have a finite figure, where not all do."""
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


def differences(pair: tuple[str, str], arms: dict[str, dict[str, list[float]]]) -> str:
    """Return a line with every measure of an arm less that of its baseline."""
    arm, baseline = (arms[name] for name in pair)
    parts = []
    for measure in sorted(set(arm) & set(baseline)):
        both = arm[measure] + baseline[measure]
        if all(map(math.isfinite, both)):
            parts.append(f'{measure} {compare(arm[measure], baseline[measure])}')
    return f'- {pair[0]} less {pair[1]}: {"; ".join(parts)}'
