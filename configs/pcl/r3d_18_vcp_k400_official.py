# PCL(VCP) by the official code's rules, R3D-18, Kinetics-400. A number is published,
# no code: list, epochs and when the learning rate falls are ours.
_base_ = './r3d_18_vcp_k400.py'
train_dataloader = dict(drop_last=False, dataset=dict(views=dict(rule='official')))
