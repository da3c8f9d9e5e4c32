# Fine-tuning, C3D, HMDB51, with RSPNet's values for C3D (two GPUs of 6 clips);
# --split 1, 2 or 3. Give load_from a checkpoint.
_base_ = [
    '../_base_/models/c3d.py',
    '../_base_/datasets/hmdb51.py',
    '../_base_/methods/finetune.py',
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
train_dataloader = dict(batch_size=12, dataset=dict(**_base_.train_list))
test_dataloader = dict(dataset=dict(**_base_.test_list))
train_cfg = dict(max_epochs=100)
optim_wrapper = dict(optimizer=dict(lr=0.005))
param_scheduler = [dict(type='MultiStepLR', milestones=[50, 70, 90], gamma=0.1)]
auto_scale_lr = dict(base_batch_size=12)
