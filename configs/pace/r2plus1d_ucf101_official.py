# VideoPace by the sampling rule of the official code, R(2+1)D, UCF101.
_base_ = './r2plus1d_ucf101.py'
train_dataloader = dict(dataset=dict(views=dict(rule='official')))
