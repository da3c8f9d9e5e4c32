"""Room for checkpoints, and for what the workers of a loader share."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mmkd.doctor.finding import Finding, Status

# Folder: (fails below, warns below), in GB. A checkpoint of R3D with its optimiser and
# queue takes 0.2 GB; a batch of 30 clips 0.02 GB.
_PLACES = {
    '.': (1.0, 10.0, 'Remove old epochs in work_dirs, or use --work-dir ELSEWHERE'),
    'temporary': (0.1, 1.0, 'export TMPDIR=A_FOLDER_WITH_ROOM'),
    '/dev/shm': (0.06, 0.5, 'docker run --shm-size=8g ..., or fewer num_workers'),
}


def check_disk() -> Iterator[Finding]:
    """Check the free space of the current folder, the temporary one, and /dev/shm."""
    for name, (least, little, remedy) in _PLACES.items():
        path = Path(tempfile.gettempdir()) if name == 'temporary' else Path(name)
        if path.is_dir():
            free = shutil.disk_usage(path).free / 1e9
            yield judge(path, free, (least, little), remedy)


def judge(path: Path, free: float, bounds: tuple[float, float], remedy: str) -> Finding:
    """Judge free space.

    Args:
        path: The folder.
        free: What is free, in GB.
        bounds: Below the first it fails, below the second it warns, in GB.
        remedy: What to do.
    """
    least, little = bounds
    status = Status.OK
    if free < little:
        status = Status.FAIL if free < least else Status.WARN
    text = f'{path.resolve()} has {free:.1f} GB free'
    return Finding('disk', status, text, '' if status is Status.OK else remedy)
