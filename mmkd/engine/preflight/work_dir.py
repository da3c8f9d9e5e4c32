"""Check that the work folder is writable and holds the run of one split."""

import tempfile
from pathlib import Path

from mmengine.config import Config

from mmkd.engine.config_types import walk
from mmkd.errors import UserError


def check_work_dir(work_dir: str) -> None:
    """Create the folder and test that files can be written into it."""
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


def overwriting_warning(cfg: Config) -> str | None:
    """Return a line if the run starts over the checkpoints of another one."""
    if cfg.get('resume'):
        return None
    found = sorted(path.name for path in Path(cfg.work_dir).glob('*.pth'))
    if not found:
        return None
    more = f' and {len(found) - 1} more' if len(found) > 1 else ''
    return (
        f'{cfg.work_dir} holds {found[-1]}{more} of an earlier run; this one begins at '
        'step 0 and writes over files of the same name. --resume goes on from them, '
        '--work-dir DIR keeps both.'
    )


def check_folder_of_split(cfg: Config) -> None:
    """Refuse to train over the run of another split.

    The lists are compared with those in the config that a run leaves in its folder.

    Raises:
        UserError: If the folder has checkpoints of a run whose lists differ from these
            by a number in their names only.
    """
    if not cfg.filename or not any(Path(cfg.work_dir).glob('*.pth')):
        return
    kept = Path(cfg.work_dir) / Path(cfg.filename).name
    if not kept.is_file() or kept.resolve() == Path(cfg.filename).resolve():
        return
    try:
        before = _training_lists(Config.fromfile(kept))
    except Exception:  # of another time; the checkpoints are looked at by --resume
        return
    now = _training_lists(cfg)
    if before != now and list(map(_numberless, before)) == list(map(_numberless, now)):
        raise UserError(
            f'{cfg.work_dir} holds a run on {", ".join(before)}, this one trains on '
            f'{", ".join(now)}',
            'Name another folder with --work-dir.',
        )


def _training_lists(cfg: Config) -> list[str]:
    nodes = walk(cfg, 'train_dataloader')
    return [str(node['ann_file']) for _, node in nodes if node.get('ann_file')]


def _numberless(text: str) -> str:
    return ''.join(c for c in text if not c.isdigit())
