"""ShuffleBN: exchange clips between processes before a teacher encodes them."""

from collections.abc import Callable

import torch
from mmengine import dist
from torch import Tensor

from mmkd.models.memory.gather import gather_rows, row_counts


def shuffled_over_processes(
    encode: Callable[[Tensor], dict[str, Tensor]], clips: Tensor
) -> dict[str, Tensor]:
    """Encode a random share of all processes' clips, and hand the results back.

    With batch statistics per process, a student could tell the teacher's view of its
    own clip by the company it was normalised with; mixing the company prevents it.
    On one process this is ``encode(clips)``.

    Source: MoCo section 3.3, https://arxiv.org/abs/1911.05722.

    Args:
        encode: From clips ``(N, ...)`` to named tensors whose first axis is ``N``.
        clips: This process's clips ``(N, 3, T, H, W)``.

    Returns:
        What ``encode`` gives for this process's own clips, in their order.
    """
    if dist.get_world_size() == 1:
        return encode(clips)
    counts = row_counts(clips)
    everything = gather_rows(clips)
    order = torch.randperm(len(everything)).to(clips.device)
    dist.broadcast(order)
    rank = dist.get_rank()
    encoded = encode(everything[order.tensor_split(len(counts))[rank]])
    first = sum(counts[:rank])
    mine = order.argsort()[first : first + counts[rank]]
    return {name: gather_rows(rows)[mine] for name, rows in encoded.items()}
