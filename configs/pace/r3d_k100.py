# VideoPace, R3D, Kinetics-100.
_base_ = [
    '../_base_/models/r3d.py',
    '../_base_/datasets/k100.py',
    '../_base_/methods/pace.py',
    '../_base_/default_runtime.py',
]
model = _base_.pretrainer
train_dataloader = dict(dataset=dict(**_base_.pretrain_list))
