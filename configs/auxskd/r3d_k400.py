# auxSKD (phase 1), R3D, Kinetics-400.
_base_ = [
    '../_base_/models/r3d.py',
    '../_base_/datasets/k400.py',
    '../_base_/methods/auxskd.py',
    '../_base_/default_runtime.py',
]
model = _base_.pretrainer
train_dataloader = dict(dataset=dict(**_base_.pretrain_list))
