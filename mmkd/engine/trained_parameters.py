"""Keep from the optimiser what it must never change."""

from typing import Any

from torch import nn

from mmkd.models.teachers import MomentumTeacher


def leave_out_teachers(model: nn.Module, optimizer: Any) -> None:
    """Take the weights of momentum teachers out of an optimiser that is new.

    They get no gradient, so nothing would happen to them; but a checkpoint would list
    them, and whoever counts or changes what is trained would meet them. Source: ours.

    Args:
        model: The model, wrapped or not.
        optimizer: A ``torch.optim.Optimizer``, in place.
    """
    teachers = {
        id(parameter)
        for module in model.modules()
        if isinstance(module, MomentumTeacher)
        for parameter in module.parameters()
    }
    for group in optimizer.param_groups:
        group['params'] = [p for p in group['params'] if id(p) not in teachers]
