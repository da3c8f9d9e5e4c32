# PCL(VCP), R3D, Kinetics-100.
_base_ = [
    '../_base_/models/r3d.py',
    '../_base_/datasets/k100.py',
    '../_base_/methods/pcl_vcp.py',
    '../_base_/default_runtime.py',
]
model = _base_.pretrainer
train_dataloader = dict(dataset=dict(**_base_.pretrain_list))
custom_hooks = [*_base_.custom_hooks, dict(type='mmkd.MemoryBankSizeHook')]
default_hooks = dict(checkpoint=dict(interval=20))
# Ours: the settings of the authors on other sets than UCF101 are not known.
train_cfg = dict(max_epochs=60)
param_scheduler = [dict(type='MultiStepLR', milestones=[36, 51], gamma=0.1)]
