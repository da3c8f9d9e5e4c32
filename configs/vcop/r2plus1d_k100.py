# VCOP, R(2+1)D, Kinetics-100.
_base_ = [
    '../_base_/models/r2plus1d.py',
    '../_base_/datasets/k100.py',
    '../_base_/methods/vcop.py',
    '../_base_/default_runtime.py',
]
model = _base_.pretrainer
train_dataloader = dict(dataset=dict(**_base_.pretrain_list))
# Ours: about as many steps as 300 epochs of UCF101 have.
train_cfg = dict(max_epochs=80)
default_hooks = dict(checkpoint=dict(interval=20))
