"""List the checkpoints that can be converted, by network and method."""

from dataclasses import dataclass, replace

from mmkd.models.input_convention import InputConvention, get_convention
from mmkd.zoo.convert import renaming
from mmkd.zoo.convert.renaming import Table


@dataclass(frozen=True)
class Network:
    """Network, with the names that official code gives its tensors."""

    config: str  # our network, a name in configs/_base_/models
    table: Table  # how its official names become ours
    anchor: str  # an official name that the network has once; tells where it begins
    # first parts of the names that belong to a head beside the layers
    heads: tuple[str, ...] = ('linear', 'linear_segment')


@dataclass(frozen=True)
class Method:
    """Method that trained a checkpoint, and its input convention."""

    convention: str
    github: str  # owner and name of the official code's repository
    # patterns that only files of this method have, some of them all; they are searched
    # in the names of tensors and, as file:KEY, in the keys of the file around them.
    # Empty where the network alone says it.
    marks: tuple[str, ...] = ()
    residual: bool = False  # whether it saw frame differences, as PCL's default is

    @property
    def repository(self) -> str:
        """Address of the official code."""
        return f'https://github.com/{self.github}'

    @property
    def pixels(self) -> InputConvention:
        """The input convention."""
        return replace(get_convention(self.convention), residual=self.residual)


@dataclass(frozen=True)
class Kind:
    """One kind of checkpoint."""

    name: str  # what the command line calls it, e.g. vcop-r3d.
    method: Method  # who trained it
    network: Network  # how its tensors are named


_FC = ('fc',)
_C3D = Network('c3d', renaming.VCOP_C3D, 'conv3a.weight')
_R3D, _R2PLUS1D = (
    Network(config, renaming.VCOP_RESNET, f'conv2.block1.conv1.{kernel}.weight')
    for config, kernel in (
        ('r3d', 'temporal_spatial_conv'),
        ('r2plus1d', 'spatial_conv'),
    )
)
_S3DG = Network('s3dg', renaming.PACE_S3DG, 'mixed_3b.conv_b0.conv1.weight', _FC)
_S3DG_ANCHOR = 'feature.sepInc_3b.branch0.conv3d.weight'
_S3DG_RSPNET = Network('s3dg_rspnet', renaming.RSPNET_S3DG, _S3DG_ANCHOR, _FC)
_RESNET18 = Network(
    'resnet18_rspnet', renaming.RSPNET_RESNET, 'layer1.0.bn1.weight', _FC
)
_TV_R3D, _TV_MC3 = (
    Network(config, renaming.TORCHVISION, 'layer1.0.conv1.0.weight', _FC)
    for config in ('r3d_18', 'mc3_18')
)
_TV_R2PLUS1D = Network(
    'r2plus1d_18', renaming.TORCHVISION_FACTORED, 'layer1.0.conv1.0.0.weight', _FC
)
# PCL takes torchvision's networks apart: their children, but the classifier, are a
# Sequential, whose names are numbers.
_PCL_R3D_18 = Network('r3d_18', renaming.TORCHVISION_SEQUENTIAL, '1.0.conv1.0.weight')
_PCL_R2PLUS1D_18 = Network(
    'r2plus1d_18', renaming.TORCHVISION_SEQUENTIAL_FACTORED, '1.0.conv1.0.0.weight'
)

_VCOP = Method('rgb01', 'xudejing/video-clip-order-prediction', (r'^fc8\.',))
_PACE = Method('bgr255', 'laura-wang/video-pace', (r'^file:opt_dict$',))
_AUXSKD = Method('bgr255', 'Plrbear/auxSKD', (r'^predict_q_c\.', r'^linear_segment\.'))
_RSPNET = Method(
    'imagenet', 'PeihaoChen/RSPNet', (r'^encoder_q\.encoder\.', r'^file:arch$')
)
_PCL = Method(
    'imagenet', 'BestJuly/Pretext-Contrastive-Learning', (r'^projector\.',), True
)
_TORCHVISION = Method('kinetics', 'pytorch/vision')

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
        ('pcl-r3d18', _PCL, _PCL_R3D_18),
        ('pcl-r2plus1d18', _PCL, _PCL_R2PLUS1D_18),
        ('torchvision-r3d18', _TORCHVISION, _TV_R3D),
        ('torchvision-mc3-18', _TORCHVISION, _TV_MC3),
        ('torchvision-r2plus1d18', _TORCHVISION, _TV_R2PLUS1D),
    )
}
"""Every kind by its name."""
