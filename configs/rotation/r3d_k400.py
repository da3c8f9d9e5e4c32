# 3DRotNet's rotations, R3D, Kinetics-400.
_base_ = [
    '../_base_/models/r3d.py',
    '../_base_/datasets/k400.py',
    '../_base_/methods/rotation.py',
    '../_base_/default_runtime.py',
]
model = _base_.pretrainer
train_dataloader = dict(dataset=dict(**_base_.pretrain_list))
# Ours: about as many steps as 200 epochs of UCF101 have.
train_cfg = dict(max_epochs=8)
