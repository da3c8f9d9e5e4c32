# PCL(VCP) by the official code's rules, C3D, UCF101, with its list: prepare.py
# --min-frames 64. When the learning rate falls stays ours.
_base_ = './c3d_vcp_ucf101.py'
train_dataloader = dict(drop_last=False, dataset=dict(views=dict(rule='official')))
