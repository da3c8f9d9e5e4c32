"""Find the checkpoint that a run left last."""

from pathlib import Path


def latest_checkpoint(work_dir: str) -> str | None:
    """Return the checkpoint that ``work_dir/last_checkpoint`` names, if it is there.

    MMEngine writes an absolute path into that file. Where the folder was moved since,
    the file of the same name beside it is taken.

    Args:
        work_dir: Folder of the run.
    """
    pointer = Path(work_dir) / 'last_checkpoint'
    if not pointer.is_file():
        return None
    named = Path(pointer.read_text(encoding='utf-8').strip())
    for candidate in (named, pointer.parent / named.name):
        if candidate.is_file():
            return str(candidate)
    return None
