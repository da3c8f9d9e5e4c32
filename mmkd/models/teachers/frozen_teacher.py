"""A teacher that was trained before: a config and a checkpoint."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.runner.checkpoint import _load_checkpoint
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.distillation.preprocessor import TeacherPreprocessor, same_pixels
from mmkd.models.memory import MemoryBank
from mmkd.models.teachers.teacher_network import TeacherNetwork
from mmkd.registry import MODELS

RANDOM = 'random'
_REPOSITORY = Path(__file__).resolve().parents[3]
_PIXELS = 'data_preprocessor.'
_COUNTER = 'num_batches_tracked'  # BatchNorm's; no weight, absent from old checkpoints


@MODELS.register_module()
class FrozenTeacher(TeacherNetwork):
    """A network with weights from a checkpoint, frozen, in eval as a whole.

    Every key of the checkpoint must be in the model and the other way round. Source:
    ours.

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
            convention than the config feeds.

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
            model = MODELS.build(_model_config(config))
        self.source = f'teacher checkpoint {checkpoint}'
        if checkpoint != RANDOM:
            content = _load_checkpoint(checkpoint, map_location='cpu')
            load_exactly(model, content.get('state_dict', content), self.source)
            _check_convention(model, content.get('meta', {}), self.source)
        if tasks is not None:
            _keep_tasks(model, tasks)
        super().__init__(model)
        self.frames = frames
        self.size = size

    def own_preprocessor(
        self, student: nn.Module, always: bool = False
    ) -> TeacherPreprocessor | None:
        """Return what makes its batch of raw clips; None if the student's will do.

        Args:
            student: The student's preprocessor.
            always: Whether the student's will not do in any case. Defaults to False.
        """
        mine = getattr(self.model, 'data_preprocessor', None)
        differs = always or self.frames or self.size
        if mine is None or not (differs or not same_pixels(student, mine)):
            return None
        return TeacherPreprocessor(mine, self.frames, self.size)


def _model_config(config: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return a model's config, without instructions to fetch weights."""
    if isinstance(config, str):
        config = _read_config(config).get('model', {})
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


def load_exactly(model: nn.Module, state: Mapping[str, Any], source: str) -> None:
    """Load weights of which none may be missing, left over, or of another shape.

    Memory banks without a size take that of the checkpoint.

    Args:
        model: Model without wrappers.
        state: Its state dict.
        source: What the message calls it.

    Raises:
        UserError: If anything does not fit.
    """
    weights = {k.removeprefix('module.'): v for k, v in state.items()}
    # Constants that the config states; older releases stored them.
    weights = {k: v for k, v in weights.items() if not k.startswith(_PIXELS)}
    for name, module in model.named_modules():
        rows = weights.get(f'{name}.features')
        if isinstance(module, MemoryBank) and not module.size and rows is not None:
            module.features = torch.empty_like(rows)
    own: dict[str, Tensor] = model.state_dict()
    problems = [
        ('lacks', [k for k in own if k not in weights and not k.endswith(_COUNTER)]),
        ('has beyond the config', [k for k in weights if k not in own]),
        (
            'has in another shape',
            [k for k in own if k in weights and own[k].shape != weights[k].shape],
        ),
    ]
    for what, keys in problems:
        if keys:
            more = f' and {len(keys) - 3} more' if len(keys) > 3 else ''
            raise UserError(
                f'{source} {what}: {", ".join(keys[:3])}{more}',
                'Give the config that it was trained with.',
            )
    model.load_state_dict(weights, strict=False)


def _check_convention(model: nn.Module, meta: Mapping[str, Any], source: str) -> None:
    """Compare the pixels that the teacher was trained with and those it will get."""
    trained = meta.get('input_convention')
    fed = getattr(getattr(model, 'data_preprocessor', None), 'convention', None)
    if trained is None or fed is None or trained == fed.as_dict():
        return
    raise UserError(
        f'{source} was trained with input convention {trained.get("name")!r}, its '
        f'config feeds {fed.name!r}',
        'Change the data_preprocessor in the config of the teacher.',
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
