"""The channels of what each task reads."""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.backbones.width import output_width
from mmkd.models.distillation.recorder import Recorder
from mmkd.models.representations.shared_feature import SharedFeature

EXAMPLE = (8, 32, 32)  # frames, height and width


def widths(
    backbone: nn.Module,
    representations: SharedFeature,
    sources: Mapping[str, str | None],
) -> dict[str, int]:
    """Return the channels of what each task reads, by task.

    Where it is not simply the last map, a copy of the networks tells it on a black
    clip. Source: ours.

    Args:
        backbone: The student's backbone.
        representations: What tasks read of it.
        sources: Recorded path of each task; None for the last map.

    Raises:
        UserError: If a path does not exist, or its module does not run or return a map.
    """
    last = output_width(backbone)
    paths = {path for path in sources.values() if path}
    if not paths and type(representations) is SharedFeature:
        return dict.fromkeys(sources, last)
    backbone, forms = copy.deepcopy((backbone, representations))
    recorder = Recorder(backbone, paths, 'backbone')
    weight = next(backbone.parameters())
    clip = torch.zeros(1, 3, *EXAMPLE, dtype=weight.dtype, device=weight.device)
    backbone.eval()
    forms.eval()
    with torch.no_grad(), recorder:
        maps: dict[str | None, Tensor] = {None: backbone(clip)}
        maps.update(recorder.take())
        read = {
            task: forms.read(task, {0: maps[path]}, joint=True)[0]
            for task, path in sources.items()
        }
    for task, x in read.items():
        if x.ndim != 5:
            raise UserError(
                f'task {task!r} reads {sources[task]!r}, which is no map '
                f'(N, C, t, h, w) but of shape {tuple(x.shape)}',
                'Name a stage of the backbone.',
            )
    return {task: x.shape[1] for task, x in read.items()}
