# VSPP (phase 2), R3D, Kinetics-400.
_base_ = [
    '../_base_/models/r3d.py',
    '../_base_/datasets/k400.py',
    '../_base_/methods/vspp.py',
    '../_base_/default_runtime.py',
]
model = _base_.pretrainer
# Ours: each video once an epoch; the released ten times are for the small UCF101.
train_dataloader = dict(dataset=dict(repeat=1, **_base_.pretrain_list))
