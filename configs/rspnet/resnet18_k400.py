# RSPNet, ResNet-18, Kinetics-400.
_base_ = [
    '../_base_/models/resnet18_rspnet.py',
    '../_base_/datasets/k400.py',
    '../_base_/methods/rspnet.py',
    '../_base_/default_runtime.py',
]
model = _base_.pretrainer
train_dataloader = dict(batch_size=64, dataset=dict(**_base_.pretrain_list))
optim_wrapper = dict(optimizer=dict(lr=0.1))
auto_scale_lr = dict(base_batch_size=64)
