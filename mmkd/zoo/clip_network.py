"""The part of a trained model that is of use outside: clips in, one tensor out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from mmkd.engine.load_weights import load_weights
from mmkd.errors import UserError
from mmkd.models.heads import pool_map
from mmkd.registry import MODELS
from mmkd.zoo.convert.reading import read_source

Output = Literal['feature', 'map', 'scores']
_BRANCHES = 'representations.branches.'


class ClipNetwork(nn.Module):
    """A backbone, and its classifier where scores are asked for.

    Args:
        backbone: Maps clips ``(N, 3, T, H, W)`` to ``(N, C, t, h, w)``.
        cls_head: Maps that to class scores; needed for ``output='scores'`` only.
        output: ``'feature'``: the map's mean ``(N, C)``; ``'map'``: the map itself;
            ``'scores'``: the head's scores ``(N, classes)`` before any softmax.
    """

    def __init__(
        self, backbone: nn.Module, cls_head: nn.Module | None, output: Output
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.cls_head = cls_head
        self.output = output

    def forward(self, clips: Tensor) -> Tensor:
        """Return the output for normalised clips ``(N, 3, T, H, W)``."""
        last = self.backbone(clips)
        if self.output == 'map':
            return last
        return pool_map(last) if self.cls_head is None else self.cls_head(last)


def load_clip_network(
    config: Path,
    checkpoint: Path,
    output: Output = 'feature',
    branch: str | None = None,
) -> tuple[ClipNetwork, dict[str, Any]]:
    """Build the network of a config and fill it from a checkpoint.

    Args:
        config: A config of any method; of a distiller the student counts.
        checkpoint: A checkpoint with ``backbone.*`` (and ``cls_head.*`` for scores).
        output: See :class:`ClipNetwork`.
        branch: A task with a last stage of its own
            (:class:`~mmkd.models.representations.OwnLastStage`), to take that stage in
            place of the backbone's. Defaults to None.

    Returns:
        The network in eval mode, and the meta of the checkpoint.

    Raises:
        UserError: If a file cannot be read, or the checkpoint lacks a tensor or the
            branch.
    """
    if not config.is_file():
        raise UserError(f'config {config} does not exist', 'Check the path.')
    model = Config.fromfile(config).model
    model = model.get('student', model)
    if output == 'scores' and not model.get('cls_head'):
        raise UserError(
            f'{config} has no cls_head, hence no scores', 'Ask for the feature.'
        )
    with DefaultScope.overwrite_default_scope('mmaction'):
        head = MODELS.build(model.cls_head) if output == 'scores' else None
        network = ClipNetwork(MODELS.build(model.backbone), head, output)
    source = read_source(checkpoint)
    tensors = with_branch(source.tensors, branch, f'checkpoint {checkpoint}')
    report = load_weights(network, tensors)
    report.raise_if_useless(f'checkpoint {checkpoint}')
    report.raise_if_incomplete(f'checkpoint {checkpoint}')
    network.eval()
    return network, dict(source.meta)


def with_branch(
    tensors: Mapping[str, Tensor], branch: str | None, source: str
) -> Mapping[str, Tensor]:
    """Return weights whose backbone ends with the last stage of one task.

    Source: ours.

    Args:
        tensors: Weights of a ``Pretrainer`` with ``OwnLastStage``.
        branch: Name of the task. None leaves the weights as they are.
        source: What the message calls them.

    Raises:
        UserError: If the task has no last stage of its own.
    """
    if branch is None:
        return tensors
    there = dict.fromkeys(
        key.removeprefix(_BRANCHES).split('.')[0]
        for key in tensors
        if key.startswith(_BRANCHES)
    )
    if branch not in there:
        raise UserError(
            f'{source} has no branch {branch!r}; it has: {", ".join(there) or "none"}',
            'Leave --branch out, or name one of them.',
        )
    mine = f'{_BRANCHES}{branch}.'
    stage = {
        f'backbone.{key.removeprefix(mine)}': value
        for key, value in tensors.items()
        if key.startswith(mine)
    }
    return {**tensors, **stage}
