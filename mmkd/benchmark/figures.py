"""What a benchmark found: figures by arm, and ratios between arms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmkd.benchmark.machine import describe_machine
from mmkd.benchmark.rounds import Seconds, paired_ratios, spread


@dataclass(frozen=True)
class Ratio:
    """How two arms compare, from the ratios within each round.

    Attributes:
        what: What is divided by what, in words.
        value: Median over the rounds.
        low: Smallest.
        high: Largest.
    """

    what: str
    value: float
    low: float
    high: float

    @classmethod
    def between(cls, what: str, first: Seconds, second: Seconds) -> 'Ratio':
        """Return ``first / second``, paired by round."""
        return cls(what, *spread(paired_ratios(first, second)))


@dataclass
class Figures:
    """The result of one benchmark.

    Attributes:
        title: What was measured.
        work: What one piece of work is, as plain values: config, batch, clip size.
        arms: Figures by name of arm and of figure.
        ratios: Comparisons.
        notes: What a reader must know, one sentence each.
        machine: Where, in general terms.
    """

    title: str
    work: Mapping[str, Any]
    arms: dict[str, dict[str, float]] = field(default_factory=dict)
    ratios: list[Ratio] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    machine: Mapping[str, Any] = field(default_factory=describe_machine)

    def add_times(self, name: str, seconds: Seconds, clips: int) -> None:
        """Add an arm that was timed.

        Args:
            name: Name of the arm.
            seconds: Seconds for one piece of work, by round.
            clips: Clips in that piece.
        """
        middle, low, high = spread(seconds)
        self.arms[name] = {
            'clips/s': clips / middle,
            'seconds': middle,
            'fastest': low,
            'slowest': high,
        }

    def as_dict(self) -> dict[str, Any]:
        """Return everything in plain values, for a JSON file."""
        return {
            'title': self.title,
            'machine': dict(self.machine),
            'work': dict(self.work),
            'arms': self.arms,
            'ratios': [vars(ratio) for ratio in self.ratios],
            'notes': self.notes,
        }

    def as_markdown(self) -> str:
        """Return tables, ready for ``docs/performance.md``."""
        lines = [f'**{self.title}**', '', _listed(self.work), '']
        lines += [_listed(self.machine), '', *_table(self.arms), '']
        if self.ratios:
            lines += ['| ratio | median | range |', '|---|---:|---:|']
            lines += [
                f'| {r.what} | {r.value:.3g} | {r.low:.3g} to {r.high:.3g} |'
                for r in self.ratios
            ]
        return '\n'.join([*lines, *(f'\n{note}' for note in self.notes)])


def _listed(values: Mapping[str, Any]) -> str:
    return '; '.join(f'{name} {value}' for name, value in values.items())


def _table(arms: Mapping[str, Mapping[str, float]]) -> Sequence[str]:
    columns = list(dict.fromkeys(name for row in arms.values() for name in row))
    head = f'| | {" | ".join(columns)} |'
    lines = [head, '|---|' + '---:|' * len(columns)]
    for name, row in arms.items():
        cells = [f'{row[c]:.3g}' if c in row else '' for c in columns]
        lines.append(f'| {name} | {" | ".join(cells)} |')
    return lines
