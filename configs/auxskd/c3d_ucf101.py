# auxSKD (phase 1), C3D, UCF101.
_base_ = [
    '../_base_/models/c3d.py',
    '../_base_/datasets/ucf101.py',
    '../_base_/methods/auxskd.py',
    '../_base_/default_runtime.py',
]
# Ours: a shorter queue, as 9 537 videos would fill it with their own older keys.
_base_.pretrainer.tasks.skd.queue_size = 4096
model = _base_.pretrainer
train_dataloader = dict(dataset=dict(**_base_.pretrain_list))
