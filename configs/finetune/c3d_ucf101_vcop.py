# Fine-tuning by VCOP's settings, C3D, UCF101; --split N. Test the best epoch.
_base_ = [
    '../_base_/models/c3d.py',
    '../_base_/datasets/ucf101.py',
    '../_base_/methods/finetune_vcop.py',
    '../_base_/default_runtime.py',
]
model = dict(
    type='Recognizer3D',
    data_preprocessor=_base_.data_preprocessor,
    cls_head=dict(
        in_channels=_base_.feature_channels,
        num_classes=_base_.num_classes,
        **_base_.head,
    ),
)
train_list = dict(held_out=800, **_base_.train_list)
train_dataloader = dict(dataset=train_list)
val_dataloader = dict(dataset=train_list)
test_dataloader = dict(dataset=dict(**_base_.test_list))
default_hooks = dict(checkpoint=dict(save_best='acc/top1', interval=10))
