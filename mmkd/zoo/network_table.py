"""Sizes of the networks: parameters, multiply-adds, last map."""

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from mmkd.zoo.base_networks import build_backbone, model_configs

CLIP = (16, 112, 112)
"""Frames, height and width of the clip that the papers use most."""


@dataclass(frozen=True)
class NetworkSize:
    """Size of one backbone, without any head.

    Attributes:
        name: Name of its config.
        parameters: Number of trainable values.
        multiply_adds: Multiplications of convolutions and linear layers, for one clip.
        last_map: Shape of the last map without the batch.
    """

    name: str
    parameters: int
    multiply_adds: int
    last_map: tuple[int, ...]


def network_names() -> list[str]:
    """Return all networks of ``configs/_base_/models``, the tiny ones left out."""
    names = (path.stem for path in model_configs().glob('*.py'))
    return sorted(name for name in names if not name.endswith('_tiny'))


def measure(name: str, clip: tuple[int, int, int] = CLIP) -> NetworkSize:
    """Measure a network without computing it (on PyTorch's ``meta`` device).

    Args:
        name: Name of its config.
        clip: Frames, height and width.

    Raises:
        UserError: If there is no such network.
    """
    backbone = build_backbone(name).to('meta')
    backbone.eval()
    clips = torch.empty((1, 3, *clip), device='meta')
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        last = backbone(clips)
    return NetworkSize(
        name=name,
        parameters=sum(p.numel() for p in backbone.parameters()),
        # PyTorch counts a multiplication and an addition as two.
        multiply_adds=counter.get_total_flops() // 2,
        last_map=tuple(last.shape[1:]),
    )


def markdown_table(sizes: list[NetworkSize]) -> str:
    """Return the sizes as a table in Markdown, ready for ``docs/networks.md``."""
    lines = [
        '| network | parameters | GMAC | last map |',
        '|---|---:|---:|---|',
    ]
    for size in sizes:
        last = ' x '.join(str(number) for number in size.last_map)
        lines.append(
            f'| `{size.name}` | {size.parameters:,} | {size.multiply_adds / 1e9:.2f} '
            f'| {last} |'
        )
    return '\n'.join(lines)
