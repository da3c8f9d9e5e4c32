# r3d_18 of torchvision, 33.2 M parameters: MMAction2's ResNet3d, start included.
feature_channels = 512
model = dict(
    backbone=dict(
        type='ResNet3d',
        depth=18,
        temporal_strides=(1, 2, 2, 2),
        with_pool1=False,
        with_pool2=False,
        pretrained2d=False,
        zero_init_residual=False,
    )
)
