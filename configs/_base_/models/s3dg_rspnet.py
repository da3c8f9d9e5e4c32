# S3D-G as RSPNet builds it, 8.7 M parameters.
feature_channels = 1024
model = dict(
    backbone=dict(
        type='mmkd.S3DG',
        stem='separable',
        gated_branches=(1, 2),
        pooling='symmetric',
        norm_cfg=dict(type='BN3d', eps=1e-3, momentum=1e-3),
    )
)
