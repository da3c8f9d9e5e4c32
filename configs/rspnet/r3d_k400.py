# RSPNet, R3D, Kinetics-400. Settings of R(2+1)D (ours; no R3D was released).
_base_ = [
    '../_base_/models/r3d.py',
    '../_base_/datasets/k400.py',
    '../_base_/methods/rspnet.py',
    '../_base_/default_runtime.py',
]
model = _base_.pretrainer
train_dataloader = dict(dataset=dict(**_base_.pretrain_list))
