# VideoPace by the sampling rule of the official code, C3D, UCF101.
_base_ = './c3d_ucf101.py'
train_dataloader = dict(dataset=dict(views=dict(rule='official')))
