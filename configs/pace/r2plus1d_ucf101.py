# VideoPace, R(2+1)D, UCF101.
_base_ = [
    '../_base_/models/r2plus1d.py',
    '../_base_/datasets/ucf101.py',
    '../_base_/methods/pace.py',
    '../_base_/default_runtime.py',
]
model = _base_.pretrainer
train_dataloader = dict(dataset=dict(**_base_.pretrain_list))
