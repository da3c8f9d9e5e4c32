# PCL(VCP) by the official code's rules, R3D-18, UCF101, with its list: prepare.py
# --min-frames 64. When the learning rate falls stays ours.
_base_ = './r3d_18_vcp_ucf101.py'
train_dataloader = dict(drop_last=False, dataset=dict(views=dict(rule='official')))
