# RSPNet, R(2+1)D, Kinetics-400.
_base_ = [
    '../_base_/models/r2plus1d.py',
    '../_base_/datasets/k400.py',
    '../_base_/methods/rspnet.py',
    '../_base_/default_runtime.py',
]
model = _base_.pretrainer
train_dataloader = dict(dataset=dict(**_base_.pretrain_list))
