# C3D of the clip-order family, 27.7 M parameters; started as PyTorch starts it.
feature_channels = 512
model = dict(backbone=dict(type='mmkd.C3D'))
