"""From a plan and a folder of videos to lists that MMAction2 reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmkd.datasets.preparation.commands import prepare_command
from mmkd.datasets.preparation.entries import Plan
from mmkd.datasets.preparation.finding import VideoIndex
from mmkd.datasets.preparation.judging import MIN_FRAMES, Verdict, judge
from mmkd.datasets.preparation.links import link_videos
from mmkd.datasets.preparation.report import Report
from mmkd.datasets.preparation.scan import FileState, scan
from mmkd.errors import UserError
from mmkd.files import write_json, write_text


@dataclass(frozen=True)
class Options:
    """How to prepare a data set.

    Attributes:
        videos: Folder of the user's videos.
        out: Folder for lists and report.
        min_frames: Training lists leave out videos with fewer frames.
        scan: Open every file; without, only its presence counts.
        workers: Threads that open files.
        strict: Write no list unless every listed video is there and readable.
    """

    videos: Path
    out: Path
    min_frames: int = MIN_FRAMES
    scan: bool = True
    workers: int = 4
    strict: bool = False


def _find(plan: Plan, options: Options) -> dict[str, str | None]:
    command = prepare_command(f'data/{plan.dataset}')
    remedy = f'Name the folder of the videos: {command}'
    if not options.videos.is_dir():
        raise UserError(f'{options.videos} is not a folder', remedy)
    index = VideoIndex(options.videos, plan.key)
    found = {path: index.find(path) for path in plan.paths()}
    if not any(found.values()):
        first = next(iter(found), 'any')
        what = (
            f'none of the {len(found)} listed videos is in {options.videos} (looked '
            f'for {first}, also with another suffix)'
        )
        raise UserError(what, remedy)
    return found


def _notes(verdicts: Sequence[Verdict]) -> list[str]:
    notes = []
    for verdict in verdicts:
        listed = len(verdict.source.entries)
        if not verdict.kept:
            notes.append(f'{verdict.file_name}: no video to write, so there is no list')
        elif verdict.source.evaluation and verdict.lost:
            notes.append(
                f'{verdict.file_name}: {verdict.lost} of {listed} videos are left out, '
                'so a number measured on it is not comparable with published ones'
            )
    return notes


def _cut_off(states: Mapping[str, FileState] | None) -> dict[str, str]:
    return {
        path: f'{state.frames} of {state.announced} frames'
        for path, state in (states or {}).items()
        if state.cut_off and not state.error
    }


def _texts(
    options: Options, on_disk: Sequence[str], verdicts: Sequence[Verdict]
) -> dict[str, str]:
    """Make ``OUT/videos``, and return the content of each list that has any."""
    written = link_videos(options.videos, options.out, on_disk)
    return {
        verdict.file_name: ''.join(
            f'{written[entry.path]} {entry.label}\n' for entry in verdict.kept
        )
        for verdict in verdicts
        if verdict.kept
    }


def _write(plan: Plan, out: Path, verdicts: Sequence[Verdict], report: Report) -> None:
    for verdict in verdicts:
        path = out / verdict.file_name
        if verdict.file_name in report.texts:
            write_text(path, report.texts[verdict.file_name])
        else:
            # A list of an earlier run would name videos that are gone.
            path.unlink(missing_ok=True)
    write_text(out / 'classes.txt', ''.join(f'{name}\n' for name in plan.classes))


def prepare(plan: Plan, options: Options) -> Report:
    """Write ``<list>.txt``, ``classes.txt``, ``videos`` and ``report.json``.

    Missing and unreadable videos are left out of every list, videos that are too short
    only out of training lists.

    Args:
        plan: What the official files ask for.
        options: Where the videos are, and how to treat them.

    Returns:
        The report. With ``strict``, an incomplete set has a report and no lists.

    Raises:
        UserError: If there is no video to write at all, or ``out/videos`` is taken.
    """
    found = _find(plan, options)
    on_disk = list(dict.fromkeys(path for path in found.values() if path))
    states = None
    if options.scan:
        cache = options.out / 'scan.json'
        states = scan(options.videos, on_disk, cache, options.workers)
    verdicts = [judge(v, found, states, options.min_frames) for v in plan.lists]
    lost = any(verdict.lost for verdict in verdicts)
    usable = any(verdict.kept for verdict in verdicts)
    write = usable and not (options.strict and lost)
    texts = _texts(options, on_disk, verdicts) if write else {}
    report = Report(
        dataset=plan.dataset,
        videos=str(options.videos),
        min_frames=options.min_frames,
        scanned=options.scan,
        verdicts=verdicts,
        cut_off=_cut_off(states),
        notes=[*plan.notes, *_notes(verdicts)],
        texts=texts,
    )
    write_json(options.out / 'report.json', report.as_json())
    if not usable:
        what = f'no video of {options.videos} can be used'
        raise UserError(what, f'See {options.out / "report.json"} for the reasons.')
    if write:
        _write(plan, options.out, verdicts, report)
    return report
