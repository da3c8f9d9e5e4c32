# VSPP (phase 2), R(2+1)D, Kinetics-100.
_base_ = [
    '../_base_/models/r2plus1d.py',
    '../_base_/datasets/k100.py',
    '../_base_/methods/vspp.py',
    '../_base_/default_runtime.py',
]
model = _base_.pretrainer
train_dataloader = dict(dataset=dict(**_base_.pretrain_list))
