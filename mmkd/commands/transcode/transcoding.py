"""Transcode the videos of lists, several at a time, and rewrite the lists."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from statistics import median

from mmkd.commands.transcode.journal import Entry, Journal, Origin
from mmkd.commands.transcode.video import Settings, transcode
from mmkd.datasets.pack_videos import names_of
from mmkd.datasets.video_file import check_codec
from mmkd.errors import UserError, printable
from mmkd.files import require_own, write_text
from mmkd.locks import locked_folder
from mmkd.progress import track
from mmkd.video_lists import ListFormat, read_list

JOURNAL = 'transcode.jsonl'


@dataclass(frozen=True)
class Summary:
    """What was done for some lists."""

    entries: Sequence[Entry]  # all videos that are there now
    skipped: int  # how many of them had been written before
    # the reason, by name of the video, for those that could not be
    failed: Mapping[str, str]

    def __str__(self) -> str:
        before = sum(entry.origin.bytes for entry in self.entries)
        after = sum(entry.written.bytes for entry in self.entries)
        lines = [
            f'{len(self.entries)} videos ({self.skipped} of them were there): '
            f'{before / 1e6:.1f} MB became {after / 1e6:.1f} MB'
        ]
        if self.entries:
            quality = [entry.written.psnr for entry in self.entries]
            worst = min(self.entries, key=lambda entry: entry.written.psnr)
            lines.append(
                'PSNR of the worst of the sampled frames of a video: median '
                f'{median(quality):.1f} dB, lowest {min(quality):.1f} dB '
                f'({printable(worst.name)})'
            )
        lines += [
            f'failed: {printable(name)}: {printable(why)}'
            for name, why in self.failed.items()
        ]
        return '\n'.join(lines)


def targets_of(names: Sequence[str]) -> dict[str, str]:
    """Return the new path for each path of a list: the same with the suffix ``.mp4``.

    Raises:
        UserError: If two paths would become one, or one leads out of the folder.
    """
    targets: dict[str, str] = {}
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or '..' in path.parts:
            raise UserError(
                f'{name} leads out of the folder of videos',
                'List paths that are relative to --prefix.',
            )
        target = str(path.with_suffix('.mp4'))
        if target in targets:
            raise UserError(
                f'{targets[target]} and {name} would both become {target}',
                'Rename one of them.',
            )
        targets[target] = name
    return {name: target for target, name in targets.items()}


def transcode_lists(
    lists: Sequence[Path],
    out: Path,
    prefix: Path,
    settings: Settings | None = None,
    workers: int = 2,
    delimiter: str = ' ',
) -> Summary:
    """Transcode every video of some lists, and rewrite the lists that name them.

    ``out`` gets ``videos/``, a list of the same name for each list, and
    ``transcode.jsonl``, which holds what is known of every video. A second call writes
    only what is missing or whose source or settings have changed. Videos that cannot be
    read are left out of the new lists, and named.

    Args:
        lists: Lists with lines ``path label``.
        out: Folder to write.
        prefix: What the paths are relative to.
        settings: How to write; None for :class:`Settings` as they are.
        workers: Videos at a time.
        delimiter: Between path and label, also of the new lists.

    Raises:
        UserError: If this PyAV cannot encode, a list cannot be read, two lists or
            videos have one name, ``out`` cannot be written, or another process
            transcodes into it.
    """
    check_codec()
    if len({path.name for path in lists}) < len(lists):
        raise UserError('two lists have one name', 'Write them to two folders.')
    if any(path.resolve() == (out / path.name).resolve() for path in lists):
        raise UserError(f'{out} holds the lists themselves', 'Name another folder.')
    targets = targets_of(names_of(lists, delimiter))
    with locked_folder(out, 'transcoding'):
        rest = prefix, settings or Settings(), workers, delimiter
        return _transcode(lists, targets, out, *rest)


def _transcode(
    lists: Sequence[Path],
    targets: Mapping[str, str],
    out: Path,
    prefix: Path,
    settings: Settings,
    workers: int,
    delimiter: str,
) -> Summary:
    (out / 'videos').mkdir(parents=True, exist_ok=True)
    require_own(out / JOURNAL)
    journal = Journal(out / JOURNAL)
    failed: dict[str, str] = {}
    todo: dict[str, tuple[Path, Path]] = {}
    for name, new in targets.items():
        source, target = prefix / name, out / 'videos' / new
        if not source.is_file():
            failed[name] = f'{source} is not there'
        elif not journal.holds(name, settings, source, target):
            todo[name] = source, target
    skipped = len(targets) - len(todo) - len(failed)
    with ThreadPoolExecutor(workers) as pool:
        jobs = {
            pool.submit(_write, journal, name, source, target, settings): name
            for name, (source, target) in todo.items()
        }
        try:
            for job in track(as_completed(jobs), 'transcoding', len(jobs)):
                if reason := _failure(job):
                    failed[jobs[job]] = reason
        finally:
            pool.shutdown(cancel_futures=True)
    for path in lists:
        lines = [
            f'{targets[line.path]}{line.text.removeprefix(line.path)}\n'
            for line in read_list(path, ListFormat(delimiter, multi_class=True))
            if line.path not in failed
        ]
        write_text(out / path.name, ''.join(lines))
    done = [journal.entries[name] for name in targets if name not in failed]
    return Summary(done, skipped, failed)


def _write(
    journal: Journal, name: str, source: Path, target: Path, settings: Settings
) -> None:
    origin = Origin.of(source)
    written = transcode(source, target, settings)
    journal.add(Entry(name, settings, origin, written))


def _failure(job: Future[None]) -> str:
    """Return why a video could not be written; empty if it was."""
    try:
        job.result()
    except UserError:  # it holds for all others too
        raise
    except Exception as error:
        # What a damaged file brings about is not to be foreseen; the others go on.
        reason = str(error).strip().splitlines() or [type(error).__name__]
        return reason[-1][:200]
    return ''
