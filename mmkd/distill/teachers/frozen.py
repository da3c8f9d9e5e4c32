"""A teacher that was trained before: a config and a checkpoint."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.runner.checkpoint import _load_checkpoint
from torch import nn

from mmkd.distill.teachers.teacher_network import TeacherNetwork
from mmkd.distill.two_preprocessors import TeacherPreprocessor, same_pixels
from mmkd.errors import UserError
from mmkd.models.exact_weights import load_exactly
from mmkd.models.input_adoption import adopt_input, settle_input
from mmkd.models.label_classes import fill_in_classes
from mmkd.registry import MODELS

RANDOM = 'random'
_REPOSITORY = Path(__file__).resolve().parents[3]


@MODELS.register_module()
class FrozenTeacher(TeacherNetwork):
    """A network with weights from a checkpoint, frozen, in eval as a whole.

    Every key of the checkpoint must be in the model and the other way round. It is fed
    the input that its weights were trained with, whatever the student's is.

    Args:
        config: A model config, or the path of a config file that has a ``model`` (of a
            ``Distiller``, its student is meant). ``mmaction::...`` names a config that
            MMAction2 ships.
        checkpoint: File or address; ``'random'`` leaves the network as it is
            constructed, always the same, as a lower bound.
        tasks: Of a Pretrainer, the tasks that run; None runs all. The student must
            encode the same views. Defaults to None.
        frames: Frames that the teacher gets, evenly taken from those of a clip.
            Defaults to None: all.
        size: Height and width that its clips are resized to. Defaults to None.

    Attributes:
        source: What messages call its weights.

    Raises:
        UserError: If the config or checkpoint is not there, a key is missing, left
            over or of another shape, or the checkpoint was trained with another input
            convention than the config names without insisting.

    Example:
        >>> teacher = dict(
        ...     type='mmkd.FrozenTeacher',
        ...     config='configs/finetune/r2plus1d_ucf101.py',
        ...     checkpoint='work_dirs/finetune/r2plus1d_ucf101/epoch_30.pth',
        ... )
        >>> pcl = dict(config='configs/pcl/c3d_vcp_ucf101.py', checkpoint='c3d_vcp.pth')
        >>> pretext = dict(type='mmkd.FrozenTeacher', tasks=['vcp'], **pcl)
    """

    def __init__(
        self,
        config: str | Mapping[str, Any],
        checkpoint: str,
        tasks: Sequence[str] | None = None,
        frames: int | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = MODELS.build(model_config(config))
        self.source = f'teacher checkpoint {checkpoint}'
        if checkpoint != RANDOM:
            content = _load_checkpoint(checkpoint, map_location='cpu')
            load_exactly(model, content.get('state_dict', content), self.source)
            adopt_input(model, content, self.source)
        else:
            settle_input(model)
        if tasks is not None:
            _keep_tasks(model, tasks)
        super().__init__()
        self.hold(model)
        self.frames = frames
        self.size = size

    def own_preprocessor(
        self, student: nn.Module, always: bool = False
    ) -> TeacherPreprocessor | None:
        """Return what makes its batch of raw clips; None if the student's will do."""
        own = getattr(self.model, 'data_preprocessor', None)
        differs = always or self.frames or self.size
        # What an undecided student is fed its weights will say, later.
        undecided = getattr(student, 'convention', own) is None
        if own is None or not (differs or undecided or not same_pixels(student, own)):
            return None
        return TeacherPreprocessor(own, self.frames, self.size)


def model_config(config: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of the model that a :class:`FrozenTeacher` is to be.

    Raises:
        UserError: If there is no such file or no model in it.
    """
    if isinstance(config, str):
        file = _read_config(config)
        fill_in_classes(file)
        config = file.get('model', {})
    model: dict[str, Any] = {**config}  # type: ignore[dict-item]
    if not model.get('type'):
        raise UserError('the config of the teacher has no model with a type')
    return model.get('student', model)


def _read_config(path: str) -> Config:
    """Read a config file, seen from the current folder or from this repository."""
    if '::' in path:
        return get_config(path)
    for candidate in (Path(path), _REPOSITORY / path):
        if candidate.is_file():
            return Config.fromfile(candidate)
    raise UserError(
        f'the config {path} of the teacher does not exist',
        'Give the path of a config file, seen from the current folder.',
    )


def _keep_tasks(model: nn.Module, tasks: Sequence[str]) -> None:
    own = getattr(model, 'tasks', {})
    for name in tasks:
        if name not in own:
            raise UserError(
                f'the teacher has no task {name!r}; it has: {", ".join(own) or "none"}',
                'Change tasks of the teacher.',
            )
    for name in set(own) - set(tasks):
        del own[name]
