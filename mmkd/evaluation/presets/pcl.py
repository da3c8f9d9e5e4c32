"""The protocol of PCL: that of VCOP on differences of frames."""

from dataclasses import replace

from mmkd.evaluation.presets.vcop import VCOP

PCL = replace(
    VCOP,
    name='pcl',
    source='released code of PCL, https://arxiv.org/abs/2010.15464',
    pooling=('max', 'average'),
    needs={'model.data_preprocessor.residual': True},
    advice='Take configs/finetune/r3d_<data>_pcl.py, or set '
    'model.data_preprocessor.residual=True.',
    differences=(
        *VCOP.differences,
        'R3D-18 is compared by its averaged map: see the figures "average"',
        'pixels stay normalised as in pre-training; the released fine-tuning drops it',
    ),
)
