_base_ = './s3dg.py'
feature_channels = 128
model = dict(backbone=dict(base_channels=8))
