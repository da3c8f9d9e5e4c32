"""The checkpoints that can be converted: which network by which method."""

from dataclasses import dataclass, replace

from mmkd.models.input_convention import InputConvention, get_convention
from mmkd.zoo.convert import renaming
from mmkd.zoo.convert.renaming import Table


@dataclass(frozen=True)
class Network:
    """How official code names the tensors of a network.

    Attributes:
        config: Our network, a name in ``configs/_base_/models``.
        table: How its official names become ours.
        anchor: An official name that the network has once; tells where it begins.
        heads: First parts of the names that belong to a head beside the layers.
    """

    config: str
    table: Table
    anchor: str
    heads: tuple[str, ...] = ('linear', 'linear_segment')


@dataclass(frozen=True)
class Method:
    """Who trained a checkpoint, and on which pixels.

    Attributes:
        convention: Name of the input convention.
        repository: The official code.
        marks: Patterns that only files of this method have, some of them all; they are
            searched in the names of tensors and, as ``file:KEY``, in the keys of the
            file around them. Empty where the network alone says it.
        residual: Whether it saw frame differences, as PCL's default is.
    """

    convention: str
    repository: str
    marks: tuple[str, ...] = ()
    residual: bool = False

    @property
    def pixels(self) -> InputConvention:
        """The input convention."""
        return replace(get_convention(self.convention), residual=self.residual)


@dataclass(frozen=True)
class Kind:
    """One kind of checkpoint.

    Attributes:
        name: What the command line calls it, e.g. ``vcop-r3d``.
        method: Who trained it.
        network: How its tensors are named.
    """

    name: str
    method: Method
    network: Network


_C3D = Network('c3d', renaming.VCOP_C3D, 'conv3a.weight')
_R3D = Network(
    'r3d', renaming.VCOP_RESNET, 'conv2.block1.conv1.temporal_spatial_conv.weight'
)
_R2PLUS1D = Network(
    'r2plus1d', renaming.VCOP_RESNET, 'conv2.block1.conv1.spatial_conv.weight'
)
_S3DG = Network(
    's3dg', renaming.PACE_S3DG, 'mixed_3b.conv_b0.conv1.weight', heads=('fc',)
)
_S3DG_RSPNET = Network(
    's3dg_rspnet',
    renaming.RSPNET_S3DG,
    'feature.sepInc_3b.branch0.conv3d.weight',
    heads=('fc',),
)
_RESNET18 = Network(
    'resnet18_rspnet', renaming.RSPNET_RESNET, 'layer1.0.bn1.weight', heads=('fc',)
)
_TV_R3D = Network(
    'r3d_18', renaming.TORCHVISION, 'layer1.0.conv1.0.weight', heads=('fc',)
)
_TV_MC3 = Network(
    'mc3_18', renaming.TORCHVISION, 'layer1.0.conv1.0.weight', heads=('fc',)
)
_TV_R2PLUS1D = Network(
    'r2plus1d_18',
    renaming.TORCHVISION_FACTORED,
    'layer1.0.conv1.0.0.weight',
    heads=('fc',),
)

_GITHUB = 'https://github.com'
_VCOP = Method('rgb01', f'{_GITHUB}/xudejing/video-clip-order-prediction', (r'^fc8\.',))
_PACE = Method('bgr255', f'{_GITHUB}/laura-wang/video-pace', (r'^file:opt_dict$',))
_AUXSKD = Method(
    'bgr255', f'{_GITHUB}/Plrbear/auxSKD', (r'^predict_q_c\.', r'^linear_segment\.')
)
_RSPNET = Method(
    'imagenet',
    f'{_GITHUB}/PeihaoChen/RSPNet',
    (r'^encoder_q\.encoder\.', r'^file:arch$'),
)
_PCL = Method(
    'imagenet',
    f'{_GITHUB}/BestJuly/Pretext-Contrastive-Learning',
    (r'^projector\.',),
    residual=True,
)
_TORCHVISION = Method('kinetics', f'{_GITHUB}/pytorch/vision')

KINDS = {
    name: Kind(name, method, network)
    for name, method, network in (
        ('vcop-c3d', _VCOP, _C3D),
        ('vcop-r3d', _VCOP, _R3D),
        ('vcop-r2plus1d', _VCOP, _R2PLUS1D),
        ('pace-c3d', _PACE, _C3D),
        ('pace-r3d', _PACE, _R3D),
        ('pace-r2plus1d', _PACE, _R2PLUS1D),
        ('pace-s3dg', _PACE, _S3DG),
        ('auxskd-r2plus1d', _AUXSKD, _R2PLUS1D),
        ('rspnet-c3d', _RSPNET, _C3D),
        ('rspnet-resnet18', _RSPNET, _RESNET18),
        ('rspnet-r2plus1d', _RSPNET, _R2PLUS1D),
        ('rspnet-s3dg', _RSPNET, _S3DG_RSPNET),
        ('pcl-c3d', _PCL, _C3D),
        ('pcl-r3d', _PCL, _R3D),
        ('pcl-r2plus1d', _PCL, _R2PLUS1D),
        ('torchvision-r3d18', _TORCHVISION, _TV_R3D),
        ('torchvision-mc3-18', _TORCHVISION, _TV_MC3),
        ('torchvision-r2plus1d18', _TORCHVISION, _TV_R2PLUS1D),
    )
}
"""Every kind by its name."""
