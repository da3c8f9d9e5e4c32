# VideoPace, R3D, Kinetics-400.
_base_ = [
    '../_base_/models/r3d.py',
    '../_base_/datasets/k400.py',
    '../_base_/methods/pace.py',
    '../_base_/default_runtime.py',
]
model = _base_.pretrainer
# Ours: each video once an epoch.
train_dataloader = dict(dataset=dict(repeat=1, **_base_.pretrain_list))
