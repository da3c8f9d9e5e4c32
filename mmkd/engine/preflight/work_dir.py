"""The work folder must take files."""

import tempfile
from pathlib import Path

from mmkd.errors import UserError


def check_work_dir(work_dir: str) -> None:
    """Make the folder and write a file into it, which is removed again.

    Args:
        work_dir: Folder for logs and checkpoints.

    Raises:
        UserError: If it cannot be made or written to.
    """
    try:
        Path(work_dir).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=work_dir) as file:
            file.write(b'x')
            file.flush()
    except OSError as error:
        raise UserError(
            f'the work folder {work_dir} cannot be written to '
            f'({error.strerror or error})',
            'Name another one with --work-dir, or make room there.',
        ) from error
