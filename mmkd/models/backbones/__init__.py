"""Networks of the papers that MMAction2 lacks, or that need one more argument."""

from mmkd.models.backbones.c3d import C3D
from mmkd.models.backbones.residual import R3D, R2Plus1D
from mmkd.models.backbones.s3dg import S3DG

__all__ = ['C3D', 'R3D', 'S3DG', 'R2Plus1D']
