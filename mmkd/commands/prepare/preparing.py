"""Turn a plan and a folder of videos into lists that MMAction2 reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmkd.commands.prepare.official_lists import Plan
from mmkd.commands.prepare.verdicts import MIN_FRAMES, Report, Verdict, judge
from mmkd.commands.prepare.videos import VideoIndex, link_videos, scan
from mmkd.engine.preflight.datasets import prepare_command
from mmkd.errors import UserError, printable
from mmkd.files import write_json, write_text
from mmkd.locks import locked_folder


@dataclass(frozen=True)
class Options:
    """How to prepare a data set."""

    videos: Path  # folder of the user's videos
    out: Path  # folder for lists and report
    min_frames: int = MIN_FRAMES  # training lists leave out videos with fewer frames
    scan: bool = True  # open every file; without, only its presence counts
    workers: int = 4  # threads that open files
    # write no list unless every listed video is there and readable
    strict: bool = False


def prepare(plan: Plan, options: Options) -> Report:
    """Write ``<list>.txt``, ``classes.txt``, ``videos`` and ``report.json``.

    Missing and unreadable videos are left out of every list, videos that are too short
    only out of training lists. With ``strict``, an incomplete set has a report and no
    lists.

    Raises:
        UserError: If there is no video to write at all, ``out/videos`` is taken, or
            another process prepares ``out``.
    """
    found = _find(plan, options)
    with locked_folder(options.out, 'preparation'):
        return _prepare(plan, options, found)


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


def _prepare(plan: Plan, options: Options, found: Mapping[str, str | None]) -> Report:
    out = options.out
    on_disk = list(dict.fromkeys(path for path in found.values() if path))
    states = None
    if options.scan:
        states = scan(options.videos, on_disk, out / 'scan.json', options.workers)
    verdicts = [judge(v, found, states, options.min_frames) for v in plan.lists]
    usable = any(verdict.kept for verdict in verdicts)
    write = usable and not (options.strict and any(v.lost for v in verdicts))
    report = Report(
        dataset=plan.dataset,
        videos=str(options.videos),
        min_frames=options.min_frames,
        scanned=options.scan,
        verdicts=verdicts,
        cut_off={
            path: f'{state.frames} of {state.announced} frames'
            for path, state in (states or {}).items()
            if state.cut_off and not state.error
        },
        notes=[*plan.notes, *_notes(verdicts)],
        texts=_texts(options, on_disk, verdicts) if write else {},
    )
    write_json(out / 'report.json', report.as_json())
    if not usable:
        what = f'no video of {options.videos} can be used'
        raise UserError(what, f'See {out / "report.json"} for the reasons.')
    if write:
        for name in (verdict.file_name for verdict in verdicts):
            if name in report.texts:
                write_text(out / name, report.texts[name])
            else:  # a list of an earlier run would name videos that are gone
                (out / name).unlink(missing_ok=True)
        write_text(out / 'classes.txt', ''.join(f'{name}\n' for name in plan.classes))
    return report


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


def _texts(
    options: Options, on_disk: Sequence[str], verdicts: Sequence[Verdict]
) -> dict[str, str]:
    """Make ``OUT/videos``, and return the content of each list that has any."""
    written = link_videos(options.videos, options.out, on_disk)
    for verdict in verdicts:
        _check_labels_agree(verdict, written)
    return {
        verdict.file_name: ''.join(
            f'{written[entry.path]} {entry.label}\n' for entry in verdict.kept
        )
        for verdict in verdicts
        if verdict.kept
    }


def _check_labels_agree(verdict: Verdict, written: Mapping[str, str]) -> None:
    """Refuse two labels for one video, as every reader of the list would."""
    labels: dict[str, int] = {}
    for entry in verdict.kept:
        path = written[entry.path]
        if labels.setdefault(path, entry.label) != entry.label:
            raise UserError(
                f'{verdict.file_name}: {printable(path)} would have the labels '
                f'{labels[path]} and {entry.label}',
                'Take the official files again, or keep one of its two lines.',
            )
