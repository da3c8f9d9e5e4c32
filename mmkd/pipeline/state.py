"""What is known of a stage that ran: written to its folder, read at the next start."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mmkd.errors import UserError
from mmkd.files import write_json


@dataclass
class StageState:
    """The file ``stage.json`` in a stage's folder.

    Attributes:
        fingerprint: Of the settings it was started with.
        done: Whether it ran to its end.
        seconds: Wall time of its runs, failed and stopped ones included.
        metrics: Figures it measured.
    """

    fingerprint: str
    done: bool = False
    seconds: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)

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
    state = StageState(**json.loads(path.read_text()))
    if state.fingerprint != fingerprint:
        raise UserError(
            f'{folder} holds a run with other settings (its config, options, seed or '
            'the stage before it changed)',
            'Remove that folder, or give another --work-dir.',
        )
    return state


def checkpoint_of(folder: Path, epoch: int | None) -> Path:
    """Return a finished stage's checkpoint.

    Args:
        folder: Folder of the stage.
        epoch: Which epoch; None takes the last one written.

    Raises:
        UserError: If it is not there.
    """
    if epoch is not None:
        path = folder / f'epoch_{epoch}.pth'
    else:
        pointer = folder / 'last_checkpoint'
        if not pointer.exists():
            raise UserError(f'{folder} holds no checkpoint', 'Run its stage again.')
        # Only the name counts: the folder may have been moved since.
        path = folder / Path(pointer.read_text().strip()).name
    if not path.exists():
        raise UserError(f'checkpoint {path} is not there', 'Check epoch= of the stage.')
    return path
