"""List the networks of ``configs/_base_/models/`` and measure their sizes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.registry import DefaultScope
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mmkd.config_files import package_configs, read_config
from mmkd.errors import UserError
from mmkd.registry import MODELS

CLIP = (16, 112, 112)
"""Frames, height and width of the clip that the papers use most."""


def model_configs() -> Path:
    """Return the folder of the networks' configs.

    Raises:
        UserError: If the configs of mmkd are not there.
    """
    return package_configs() / '_base_/models'


def build_backbone(name: str) -> nn.Module:
    """Build the backbone of ``configs/_base_/models/<name>.py``.

    Raises:
        UserError: If there is no such config.
    """
    path = model_configs() / f'{name}.py'
    if not path.is_file():
        names = sorted(p.stem for p in path.parent.glob('*.py'))
        raise UserError(f'no network {name!r}', f'Choose one of {", ".join(names)}.')
    config: dict[str, Any] = read_config(path).model.backbone
    with DefaultScope.overwrite_default_scope('mmaction'):
        return MODELS.build(config)


@dataclass(frozen=True)
class NetworkSize:
    """Size of one backbone, without any head."""

    name: str
    parameters: int  # number of trainable values
    # multiplications of convolutions and linear layers, for one clip
    multiply_adds: int
    last_map: tuple[int, ...]  # shape of the last map without the batch


def network_names() -> list[str]:
    """Return all networks of ``configs/_base_/models``, the tiny ones left out."""
    names = (path.stem for path in model_configs().glob('*.py'))
    return sorted(name for name in names if not name.endswith('_tiny'))


def measure(name: str, clip: tuple[int, int, int] = CLIP) -> NetworkSize:
    """Measure a network without computing it (on PyTorch's ``meta`` device).

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
    lines = ['| network | parameters | GMAC | last map |', '|---|---:|---:|---|']
    for size in sizes:
        last = ' x '.join(str(number) for number in size.last_map)
        lines.append(
            f'| `{size.name}` | {size.parameters:,} | {size.multiply_adds / 1e9:.2f} '
            f'| {last} |'
        )
    return '\n'.join(lines)
