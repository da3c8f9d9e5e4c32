# VideoPace by the sampling rule of the official code, S3D-G, UCF101.
_base_ = './s3dg_ucf101.py'
train_dataloader = dict(dataset=dict(views=dict(rule='official')))
