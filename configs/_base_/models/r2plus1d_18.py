# r2plus1d_18 of torchvision, 31.3 M parameters; not the R(2+1)D of the VCOP family.
_base_ = './r3d_18.py'
model = dict(
    backbone=dict(
        type='mmkd.R2Plus1D',
        one_mid_per_block=True,
        factored_shortcut=False,
        stem_mid_channels=45,
        init_cfg=dict(type='Kaiming', layer='Conv3d'),
    )
)
