"""The checks: one file each, the standard library only."""

from mmkd.doctor.checks.data import check_data
from mmkd.doctor.checks.decoders import check_decoders
from mmkd.doctor.checks.disk import check_disk
from mmkd.doctor.checks.numpy import check_numpy
from mmkd.doctor.checks.opencv import check_opencv
from mmkd.doctor.checks.openmmlab import check_openmmlab
from mmkd.doctor.checks.optional import check_optional
from mmkd.doctor.checks.python import check_python
from mmkd.doctor.checks.required import check_required
from mmkd.doctor.checks.setuptools import check_setuptools
from mmkd.doctor.checks.torch import check_torch
from mmkd.doctor.checks.torchvision import check_torchvision

__all__ = [
    'check_data',
    'check_decoders',
    'check_disk',
    'check_numpy',
    'check_opencv',
    'check_openmmlab',
    'check_optional',
    'check_python',
    'check_required',
    'check_setuptools',
    'check_torch',
    'check_torchvision',
]
