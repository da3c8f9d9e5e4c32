_base_ = './r3d.py'
feature_channels = 128
model = dict(backbone=dict(base_channels=16))
