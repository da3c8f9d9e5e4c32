# S3D-G as VideoPace and auxSKD build it, 9.1 M parameters.
feature_channels = 1024
model = dict(backbone=dict(type='mmkd.S3DG'))
