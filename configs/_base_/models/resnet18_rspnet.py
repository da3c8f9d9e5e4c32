# 3D-ResNet-18 of RSPNet (from 3D-ResNets-PyTorch), 33.2 M parameters: a stem of seven
# frames, max-pooling over three frames.
feature_channels = 512
model = dict(
    backbone=dict(
        type='mmkd.R3D',
        depth=18,
        conv1_kernel=(7, 7, 7),
        temporal_strides=(1, 2, 2, 2),
        pool1_kernel_t=3,
        pool1_stride_t=2,
        with_pool2=False,
        pretrained2d=False,
        zero_init_residual=False,
        init_cfg=dict(type='Kaiming', layer='Conv3d'),
    )
)
