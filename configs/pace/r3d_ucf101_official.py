# VideoPace by the sampling rule of the official code, R3D, UCF101.
_base_ = './r3d_ucf101.py'
train_dataloader = dict(dataset=dict(views=dict(rule='official')))
