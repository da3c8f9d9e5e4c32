# Fine-tuning by VCOP's settings, R(2+1)D, HMDB51; --split N. Test the best epoch.
_base_ = [
    '../_base_/models/r2plus1d.py',
    '../_base_/datasets/hmdb51.py',
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
train_list = dict(held_out=400, **_base_.train_list)
train_dataloader = dict(dataset=train_list)
val_dataloader = dict(dataset=train_list)
test_dataloader = dict(dataset=dict(**_base_.test_list))
default_hooks = dict(checkpoint=dict(save_best='acc/top1', interval=10))
