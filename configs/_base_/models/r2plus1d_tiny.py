_base_ = './r2plus1d.py'
feature_channels = 128
model = dict(backbone=dict(base_channels=16))
