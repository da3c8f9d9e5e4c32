"""The final table of a pipeline."""

from rich.table import Table

from mmkd.pipeline.state import StageState

# What test.py and evaluate.py call their figures, and how the table shows them.
COLUMNS = {
    'acc/top1': ('top-1 %', 100.0),
    'R@1': ('R@1 %', 1.0),
    'R@5': ('R@5 %', 1.0),
}


def result_table(
    rows: dict[str, list[str]], states: dict[str, StageState], title: str
) -> Table:
    """Return one line per row: its figures, and the minutes of its stages.

    Args:
        rows: Stages that each row sums up.
        states: States of the stages.
        title: Heading of the table.
    """
    table = Table(title=title)
    table.add_column('')
    for heading, _ in COLUMNS.values():
        table.add_column(heading, justify='right')
    table.add_column('minutes', justify='right')
    for row, names in rows.items():
        metrics: dict[str, float] = {}
        for name in names:
            metrics |= states[name].metrics
        cells = [
            f'{metrics[key] * factor:.1f}' if key in metrics else '-'
            for key, (_, factor) in COLUMNS.items()
        ]
        minutes = sum(states[name].seconds for name in names) / 60
        table.add_row(row, *cells, f'{minutes:.1f}')
    return table
