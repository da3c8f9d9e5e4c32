_base_ = './c3d.py'
feature_channels = 128
model = dict(backbone=dict(base_channels=16))
