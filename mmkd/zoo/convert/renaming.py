"""Map the names of official weights to those of our backbones.

A table is a list of ``(pattern, replacement)`` for :func:`re.sub`, applied in order.
"""

import re
from collections.abc import Callable

Table = tuple[tuple[str, str], ...]

VCOP_C3D: Table = (
    (r'^(conv|bn)([12])\.', r'\1\2a.'),
    (r'^conv(\d[ab])\.', r'conv\1.conv.'),
    (r'^bn(\d[ab])\.', r'conv\1.bn.'),
)
"""C3D of VCOP, Pace, PCL and RSPNet to :class:`mmkd.models.backbones.C3D`."""

VCOP_RESNET: Table = (
    *((rf'^conv{n}\.block1\.', rf'layer{n - 1}.0.') for n in range(2, 6)),
    (r'\.temporal_spatial_conv\.', '.conv.'),
    (r'\.spatial_conv\.', '.conv.conv_s.'),
    (r'\.temporal_conv\.', '.conv.conv_t.'),
    (r'\.bn\.', '.conv.bn_s.'),
    (r'(^|\.)bn([12])\.', r'\1conv\2.bn.'),
    (r'\.downsampleconv\.', '.downsample.'),
    (r'\.downsamplebn\.', '.downsample.bn.'),
)
"""R3D and R(2+1)D of VCOP, Pace, PCL, auxSKD and RSPNet to ``R3D`` and ``R2Plus1D``."""

PACE_S3DG: Table = (
    (r'^conv1\.', 'stem.'),
    (r'^conv_2b\.', 'conv2b.'),
    (r'^conv_2c\.', 'conv2c.spatial.'),
    (r'^gating\.', 'conv2c.gate.'),
    (r'\.conv_b([03])(_b)?\.', r'.branch\1.conv.'),
    (r'\.conv_b([12])_a\.', r'.branch\1.reduce.'),
    (r'\.conv_b([12])_b\.', r'.branch\1.spatial.'),
    (r'\.gating_b(\d)\.', r'.branch\1.gate.'),
    (r'\.spatial\.(conv|bn)2\.', r'.temporal.\1.'),
    (r'\.(conv|bn)1\.', r'.\1.'),
)
"""S3D-G of VideoPace and auxSKD to :class:`mmkd.models.backbones.S3DG`."""

RSPNET_S3DG: Table = (
    (r'^feature\.sepConv1\.', 'stem.'),
    (r'^feature\.basicConv3d\.', 'conv2b.'),
    (r'^feature\.sep_conv2\.', 'conv2c.'),
    (r'^feature\.sepInc_', 'mixed_'),
    (r'\.branch0\.', '.branch0.conv.'),
    (r'\.branch([12])\.0\.', r'.branch\1.reduce.'),
    (r'\.branch([12])\.1\.', r'.branch\1.'),
    (r'\.branch3\.1\.', '.branch3.conv.'),
    (r'\.sep_conv\.0\.', '.spatial.'),
    (r'\.sep_conv\.1\.', '.temporal.'),
    (r'\.excitation\.', '.gate.fc.'),
    (r'\.conv3d\.', '.conv.'),
)
"""S3D-G of RSPNet to :class:`mmkd.models.backbones.S3DG`."""

RSPNET_RESNET: Table = (
    (r'(^|\.)conv([12])\.', r'\1conv\2.conv.'),
    (r'(^|\.)bn([12])\.', r'\1conv\2.bn.'),
    (r'\.downsample\.0\.', '.downsample.conv.'),
    (r'\.downsample\.1\.', '.downsample.bn.'),
)
"""3D-ResNet of RSPNet, from 3D-ResNets-PyTorch, to ``R3D``."""

TORCHVISION: Table = (
    (r'^stem\.0\.', 'conv1.conv.'),
    (r'^stem\.1\.', 'conv1.bn.'),
    (r'\.(conv\d|downsample)\.0\.', r'.\1.conv.'),
    (r'\.(conv\d|downsample)\.1\.', r'.\1.bn.'),
)
"""``r3d_18`` and ``mc3_18`` of torchvision to MMAction2's ``ResNet3d``."""

TORCHVISION_FACTORED: Table = (
    (r'^stem\.0\.', 'conv1.conv.conv_s.'),
    (r'^stem\.1\.', 'conv1.conv.bn_s.'),
    (r'^stem\.3\.', 'conv1.conv.conv_t.'),
    (r'^stem\.4\.', 'conv1.bn.'),
    (r'\.conv(\d)\.0\.0\.', r'.conv\1.conv.conv_s.'),
    (r'\.conv(\d)\.0\.1\.', r'.conv\1.conv.bn_s.'),
    (r'\.conv(\d)\.0\.3\.', r'.conv\1.conv.conv_t.'),
    *TORCHVISION[2:],
)
"""``r2plus1d_18`` of torchvision to :class:`mmkd.models.backbones.R2Plus1D`."""

_CHILDREN: Table = ((r'^0\.', 'stem.'), (r'^([1-4])\.', r'layer\1.'))

TORCHVISION_SEQUENTIAL: Table = (*_CHILDREN, *TORCHVISION)
"""``r3d_18`` as a Sequential of its children, as PCL saves it."""

TORCHVISION_SEQUENTIAL_FACTORED: Table = (*_CHILDREN, *TORCHVISION_FACTORED)
"""``r2plus1d_18`` as a Sequential of its children, as PCL saves it."""


def renamer(table: Table) -> Callable[[str], str]:
    """Return the function that maps an official name to ours.

    Example:
        >>> renamer(VCOP_RESNET)('conv3.block1.downsampleconv.temporal_conv.weight')
        'layer2.0.downsample.conv.conv_t.weight'
    """

    def rename(name: str) -> str:
        for pattern, replacement in table:
            name = re.sub(pattern, replacement, name)
        return name

    return rename
