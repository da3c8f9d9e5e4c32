# R3D of the clip-order family: MMAction2's ResNet3d with one block a stage, 14.4 M
# parameters. type='ResNet3d' is the same network with another start (Kaiming).
feature_channels = 512
model = dict(
    backbone=dict(
        type='mmkd.R3D',
        depth=18,
        stage_blocks=(1, 1, 1, 1),
        base_channels=64,
        temporal_strides=(1, 2, 2, 2),
        with_pool1=False,
        with_pool2=False,
        pretrained2d=False,
        zero_init_residual=False,
    )
)
