"""Half of the channels for each kind of task."""

from torch import Tensor, nn

from mmkd.models.representations.shared_feature import Maps, SharedFeature
from mmkd.registry import MODELS


@MODELS.register_module()
class SplitChannels(SharedFeature):
    """Each kind of task reads its half of the channels of the last map.

    The first half belongs to the tasks that are not named, the second half (with the
    odd channel) to those that are. All layers before serve both. Fine-tuning takes the
    backbone as it is: both halves.

    Source: ours; the code of RSPNet (https://arxiv.org/abs/2011.07949) can split
    channels between its two heads.

    Args:
        backbone: The student's backbone.
        tasks: Tasks on the second half. Defaults to ``('parsing',)``.

    Example:
        >>> representations = dict(type='mmkd.SplitChannels', tasks=('parsing',))
        >>> import torch
        >>> halves = SplitChannels(nn.Identity(), tasks=('parsing',))
        >>> maps = {0: torch.arange(4.0).reshape(1, 4, 1, 1, 1)}
        >>> halves.read('avid', maps, joint=True)[0].flatten().tolist()
        [0.0, 1.0]
        >>> halves.read('parsing', maps, joint=True)[0].flatten().tolist()
        [2.0, 3.0]
    """

    def source(self, task: str, stage: str | None) -> str | None:
        """Return None: the last map.

        Raises:
            UserError: If the task asks for a stage.
        """
        self._refuse_stage(task, stage)
        return None

    def read(self, task: str, maps: Maps, joint: bool) -> Maps:
        """Return the task's half, by view."""
        half = self._half(task)
        return {view: half(x) for view, x in maps.items()}

    def head(self, task: str, projector: nn.Module) -> nn.Module:
        """Return the projector behind the task's half."""
        return nn.Sequential(self._half(task), projector)

    def _half(self, task: str) -> 'Half':
        return Half(second=task in self.tasks)


class Half(nn.Module):
    """Take the first or the second half of the channels of a map.

    Args:
        second: Whether to take the second half.
    """

    def __init__(self, second: bool) -> None:
        super().__init__()
        self.second = second

    def forward(self, x: Tensor) -> Tensor:
        """Return ``C // 2`` channels of ``(N, C, t, h, w)``, or the other ones."""
        middle = x.shape[1] // 2
        return x[:, middle:] if self.second else x[:, :middle]
