"""Record the state of a stage in its folder, and read it at the next start."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from mmkd.errors import UserError
from mmkd.files import read_json, read_small_text, write_json


@dataclass
class StageState:
    """The file ``stage.json`` in a stage's folder."""

    fingerprint: str  # of the settings it was started with
    done: bool = False  # whether it ran to its end
    seconds: float = 0.0  # wall time of its runs, failed and stopped ones included
    metrics: dict[str, float] = field(default_factory=dict)  # results it measured

    def write(self, folder: Path) -> None:
        """Write the state; a reader sees the old or the new file, never a part."""
        write_json(folder / 'stage.json', asdict(self))


def read_state(folder: Path, fingerprint: str) -> StageState:
    """Return the state of a stage's folder; a fresh one if it never started.

    Raises:
        UserError: If it was started with other settings.
    """
    path = folder / 'stage.json'
    if not path.exists():
        return StageState(fingerprint)
    try:
        state = StageState(**read_json(path))
        metrics = isinstance(state.metrics, dict) and [*state.metrics.values()]
        if not (
            isinstance(state.fingerprint, str)
            and isinstance(state.done, bool)
            and isinstance(metrics, list)
            and all(isinstance(x, int | float) for x in [state.seconds, *metrics])
        ):
            raise ValueError('it holds other kinds of values than a pipeline writes')
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f'{path} cannot be read ({error})', f'Remove {folder}, and start again.'
        ) from error
    if state.fingerprint != fingerprint:
        raise UserError(
            f'{folder} holds a run with other settings (its config, options, seed or '
            'the stage before it changed)',
            'Remove that folder, or give another --work-dir.',
        )
    return state


def checkpoint_of(folder: Path, epoch: int | None) -> Path:
    """Return a finished stage's checkpoint, of an epoch or the last one written.

    Raises:
        UserError: If it is not there.
    """
    name = _last_name(folder) if epoch is None else f'epoch_{epoch}.pth'
    path = folder / name
    if not path.is_file():
        raise UserError(f'checkpoint {path} is not there', 'Check epoch= of the stage.')
    return path


def _last_name(folder: Path) -> str:
    """Return only the name: the folder may have been moved since."""
    pointer, again = folder / 'last_checkpoint', 'Run its stage again.'
    if not pointer.exists():
        raise UserError(f'{folder} holds no checkpoint', again)
    try:
        name = Path(read_small_text(pointer, 4096).strip()).name
    except (OSError, ValueError) as error:
        raise UserError(f'{pointer} cannot be read ({error})', again) from error
    if not name or not name.isprintable():
        raise UserError(f'{pointer} names no checkpoint', again)
    return name
