"""Follow the input of every network from stage to stage, before the first one runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config

from mmkd.commands.pipeline.stage import Stage
from mmkd.distill.teachers.frozen import model_config
from mmkd.models.input_adoption import DeclaredInput, declared_by
from mmkd.models.input_convention import InputConvention

Fed = dict[str, InputConvention | None]


@dataclass(frozen=True)
class FedStage:
    """What of a stage decides which input its network is fed."""

    name: str
    cfg: Mapping[str, Any]
    kind: str = 'train'
    # stage that it starts from, or a file, of an input not known here
    weights: str | None = None
    teacher: str | None = None  # stage that trained its FrozenTeacher, likewise


def follow_inputs(stages: Sequence[FedStage]) -> Fed:
    """Return what the network of every stage is fed, by name, in the order of running.

    None stands for what only a file can say, and for models without a preprocessor of
    this package.

    Raises:
        UserError: If a stage would feed weights, or a teacher, another input than they
            were trained with.
    """
    fed: Fed = {}
    for stage in stages:
        declared = declared_by(stage.cfg)
        fed[stage.name] = None
        if declared is not None:
            fed[stage.name] = _fed(stage, declared, fed)
        teacher = (stage.cfg.get('model') or {}).get('teacher')
        if stage.teacher in fed and isinstance(teacher, Mapping):
            declared = declared_by({'model': model_config(teacher['config'])})
            if declared is not None and fed[stage.teacher] is not None:
                what = f'stage {stage.name!r}: its teacher, stage {stage.teacher!r},'
                declared.settle(fed[stage.teacher], what)
    return fed


def _fed(
    stage: FedStage, declared: DeclaredInput, before: Fed
) -> InputConvention | None:
    start = stage.weights or stage.cfg.get('load_from')
    of_weights = before.get(start) if start else None
    if start and of_weights is None:
        return declared.convention
    hooks = stage.cfg.get('custom_hooks') or []
    must_agree = (
        stage.kind != 'train'
        or 'tasks' in stage.cfg['model']
        or any(hook.get('type') == 'mmkd.EpochTeacherHook' for hook in hooks)
    )
    what = f'stage {stage.name!r}: ' + (f'stage {start!r}' if start else 'its config')
    return declared.settle(of_weights, what, must_agree)[0]


def check_inputs(stages: Sequence[Stage]) -> None:
    """Refuse a pipeline in which a network would be fed what it never saw.

    Raises:
        UserError: See :func:`follow_inputs`.
    """
    follow_inputs([_derived(stage) for stage in stages])


def _derived(stage: Stage) -> FedStage:
    cfg = Config.fromfile(stage.config)
    # What does not fit the config, the program that runs it says better.
    options = {
        key: value
        for key, value in stage.options.items()
        if key.startswith('model.') or key in ('model', 'load_from')
    }
    cfg.merge_from_dict(options)
    return FedStage(stage.name, cfg, stage.kind, stage.weights, stage.teacher)
