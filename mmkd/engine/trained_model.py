"""Unwrap models, and find the part that is trained."""

from typing import Any, cast

from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import nn

from mmkd.models.teacher import Teacher


def unwrap(model: nn.Module) -> nn.Module:
    """Return the model without DistributedDataParallel or test-time augmentation."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = cast(nn.Module, model.module)
    return model


def student_of(model: nn.Module) -> nn.Module:
    """Return the network that is trained, also from within a Distiller."""
    model = unwrap(model)
    return getattr(model, 'student', model)


def freeze(model: nn.Module) -> None:
    """Freeze the stages that a model does not train (``frozen_stages``).

    MMAction2's networks do so whenever they are set to training. Once they are wrapped,
    DistributedDataParallel waits for the gradients of what was not frozen by then.
    """
    mode = model.training
    model.train()
    model.train(mode)


def leave_out_teachers(model: nn.Module, optimizer: Any) -> None:
    """Remove the weights of teachers from a new optimiser.

    They get no gradient, so nothing would happen to them; but a checkpoint would list
    them, and whoever counts or changes what is trained would meet them.
    """
    teachers = {
        id(parameter)
        for module in model.modules()
        if isinstance(module, Teacher)
        for parameter in module.parameters()
    }
    for group in optimizer.param_groups:
        group['params'] = [p for p in group['params'] if id(p) not in teachers]
