"""Compare the gradients of two kinds of task on the shared trunk."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from mmkd.engine.trained_model import unwrap
from mmkd.errors import UserError
from mmkd.registry import HOOKS


@HOOKS.register_module()
class GradientConflictHook(Hook):
    """Log the cosine between the gradients of some tasks and of all others.

    The trunk is every parameter of the backbone that both kinds of loss depend on:
    with a last stage of its own for one of them, what lies before it. Logged, every
    so many iterations, are

    * ``conflict/cosine``: below 0, what helps one kind of task hurts the other; 0 if
      one of the gradients is 0;
    * ``conflict/ratio``: the norm of the named tasks' gradient over that of the others,
      weights of the losses included.

    The gradients are those of the batch that is trained on, the mean over processes,
    taken beside the backward pass: weights and gradients of the training are the same
    bit for bit with the hook and without. A measurement costs two more backward passes;
    between two of them, nothing. With gradient accumulation it is that of one part of
    the batch. A compiled model must keep its buffers for it
    (``torch._functorch.config.donated_buffer = False``).

    That tasks conflict is the argument of https://arxiv.org/abs/2204.12729; the metric
    is that of *Gradient Surgery*, https://arxiv.org/abs/2001.06782.

    Args:
        tasks: Names of the tasks on one side. Defaults to ``('parsing',)``.
        interval: Iterations between two measurements. Defaults to 50.

    Attributes:
        trunk: Parameters in the trunk, once it was measured.

    Raises:
        UserError: If the interval is not positive.

    Example:
        >>> custom_hooks = [dict(type='mmkd.GradientConflictHook', interval=200)]
        >>> custom_hooks = [dict(type='mmkd.GradientConflictHook', tasks=('vcp',))]
    """

    def __init__(self, tasks: Sequence[str] = ('parsing',), interval: int = 50) -> None:
        if interval < 1:
            raise UserError(
                f'GradientConflictHook: interval {interval}', 'Give 1 or more.'
            )
        self.tasks, self.interval, self.trunk = tuple(tasks), interval, 0
        self._scale, self._measures = 1.0, False

    def before_run(self, runner: Runner) -> None:
        """Check the task names against the model."""
        there = list(getattr(unwrap(runner.model), 'tasks', {}))
        absent = [name for name in self.tasks if name not in there]
        if absent or not set(there) - set(self.tasks):
            raise UserError(
                f'GradientConflictHook sets {", ".join(self.tasks)} against the other '
                f'tasks, the model has: {", ".join(there) or "none"}',
                'Name some of its tasks, not all.',
            )

    def before_train(self, runner: Runner) -> None:
        """Hook into the losses."""
        model = unwrap(runner.model)
        self._handle = model.register_forward_hook(self._measure, with_kwargs=True)

    def before_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Decide whether this iteration is measured."""
        self._measures = self.every_n_train_iters(runner, self.interval)
        if self._measures:
            # As the backward pass does: half precision loses small gradients.
            scaler = getattr(runner.optim_wrapper, 'loss_scaler', None)
            self._scale = 1.0 if scaler is None else scaler.get_scale()

    def after_train(self, runner: Runner) -> None:
        """Restore the model."""
        self._handle.remove()

    def _measure(
        self, model: nn.Module, args: Any, kwargs: dict[str, Any], losses: Any
    ) -> Any:
        """Add the metrics to what the model returned, on its way to the log."""
        if not (self._measures and model.training and isinstance(losses, dict)):
            return None
        self._measures = False
        sides = [
            sum(v for k, v in losses.items() if 'loss' in k and self._names(k) == named)
            for named in (True, False)
        ]
        every = cast(nn.Module, model.backbone).parameters()
        parameters = [p for p in every if p.requires_grad]
        device = parameters[0].device.type
        with torch.autocast(device, enabled=False):
            found = [_gradients(side * self._scale, parameters) for side in sides]
        one, other = common(*found)
        self.trunk = one.numel()
        return {**losses, **compare(one, other)}

    def _names(self, key: str) -> bool:
        return key.split('/')[0] in self.tasks


def _gradients(loss: Any, parameters: list[nn.Parameter]) -> list[Tensor | None]:
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        return [None] * len(parameters)
    return list(
        torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    )


def common(
    first: Sequence[Tensor | None], second: Sequence[Tensor | None]
) -> tuple[Tensor, Tensor]:
    """Return two gradients where both are there, as one vector each."""
    pairs = [
        (a.flatten(), b.flatten())
        for a, b in zip(first, second, strict=True)
        if a is not None and b is not None
    ]
    if not pairs:
        return torch.zeros(0), torch.zeros(0)
    one, other = (torch.cat([pair[i] for pair in pairs]) for i in (0, 1))
    wide = torch.promote_types(one.dtype, torch.float32)
    return one.to(wide), other.to(wide)


def compare(first: Tensor, second: Tensor) -> dict[str, Tensor]:
    """Return the cosine and the ratio of norms of two gradients."""
    for vector in (first, second):
        all_reduce(vector, 'mean')
    norms = first.norm(), second.norm()
    tiny = torch.finfo(first.dtype).tiny
    return {
        'conflict/cosine': first @ second / (norms[0] * norms[1]).clamp(min=tiny),
        'conflict/ratio': norms[0] / norms[1].clamp(min=tiny),
    }
