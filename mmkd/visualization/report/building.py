"""Build the page of some runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

from mmkd.visualization.report import curves
from mmkd.visualization.report.attempt import Notes, attempt
from mmkd.visualization.report.features import FeatureSource
from mmkd.visualization.report.html import Section
from mmkd.visualization.report.looking import (
    confusion_section,
    feature_section,
    gallery_section,
    look,
    parts_section,
)
from mmkd.visualization.report.networks import Wish, find_networks
from mmkd.visualization.report.page import page
from mmkd.visualization.report.results import results_section
from mmkd.visualization.report.runs import Run, find_runs

Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What a report is made of.

    Attributes:
        work_dirs: Folders of runs.
        reports: Further JSON reports.
        features: Further folders with cached features.
        wish: What the user says about networks.
        compute: Whether to run networks for what is not in a cache.
        title: Of the page; empty: made of the folders.
    """

    work_dirs: Sequence[Path]
    reports: Sequence[Path] = ()
    features: Sequence[Path] = ()
    wish: Wish = field(default_factory=Wish)
    compute: bool = True
    title: str = ''


def build_report(options: Options, say: Say = print) -> str:
    """Return the page, HTML in one piece.

    Args:
        options: What it is made of.
        say: Shows a line of progress.

    Raises:
        UserError: If a folder holds no run, or a wish cannot be fulfilled.
    """
    runs = find_runs(options.work_dirs, options.reports)
    say(f'{len(runs)} runs: {", ".join(run.name for run in runs)}')
    sections = [*_logged(runs), *_looked(runs, options, say)]
    names = ', '.join(path.resolve().name for path in options.work_dirs)
    places = ', '.join(f'`{path}`' for path in options.work_dirs)
    about = [
        f'{len(runs)} runs of {places}. Written on {date.today().isoformat()} by '
        '`tools/report.py`.'
    ]
    return page(options.title or f'Report: {names}', about, sections)


def _logged(runs: Sequence[Run]) -> list[Section]:
    """Return what only needs logs."""
    makers = (
        ('Results', results_section),
        ('Losses', curves.loss_section),
        ('Accuracy while training', curves.accuracy_section),
        ('Learning rate and speed', curves.schedule_section),
        ('Student and teacher', curves.agreement_section),
        ('Signs of health', curves.health_section),
    )
    sections = []
    for title, make in makers:
        notes = Notes()
        section = attempt(title, partial(make, runs), notes)
        if notes:
            key = title.split()[0].lower()
            section = Section(key, title, notes.html())
        if section is not None:
            sections.append(section)
    return sections


def _looked(runs: Sequence[Run], options: Options, say: Say) -> list[Section]:
    """Return what needs networks or their features."""
    networks, notes = find_networks(runs, options.wish)
    source = FeatureSource([*options.work_dirs, *options.features], options.compute)
    looked = look(networks, source, notes, say)
    return [
        gallery_section(looked, notes),
        feature_section(looked, notes, say),
        confusion_section(runs, networks, source, say),
        parts_section(runs, options.compute, say),
    ]
